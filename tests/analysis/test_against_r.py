"""Estimates against R survey 4.1-1 on its api samples; the R call stands above each number.

``golden.R`` beside this file writes the expected values again.
"""

from __future__ import annotations

from analysis import Design, difference, mean, proportion, ratio, total, weights
from tests.analysis.apidata import agrees, apiclus1, apiclus2, apisrs, apistrat, matches

# svydesign(id=~1, fpc=~fpc, weights=~pw, data=apisrs)
SRS = Design(apisrs['pw'], population=apisrs['fpc'])
# svydesign(id=~1, strata=~stype, weights=~pw, fpc=~fpc, data=apistrat)
STRAT = Design(apistrat['pw'], strata=apistrat['stype'], population=apistrat['fpc'])
# svydesign(id=~1, strata=~stype, weights=~pw, data=apistrat)
STRAT_WR = Design(apistrat['pw'], strata=apistrat['stype'])
# svydesign(id=~dnum, weights=~pw, fpc=~fpc, data=apiclus1)
CLUS1 = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
# svydesign(id=~dnum+snum, weights=~pw, fpc=~fpc1+fpc2, data=apiclus2)
CLUS2 = Design(
    apiclus2['pw'],
    psu=apiclus2['dnum'],
    ssu=apiclus2['snum'],
    population=(apiclus2['fpc1'], apiclus2['fpc2']),
)
# svydesign(id=~dnum+snum, weights=~pw, data=apiclus2)
CLUS2_WR = Design(apiclus2['pw'], psu=apiclus2['dnum'], ssu=apiclus2['snum'])
# postStratify(CLUS1, ~stype, data.frame(stype=c('E','H','M'), Freq=c(4421,755,1018)))
POST = CLUS1.calibrated(
    weights.post_stratify(CLUS1.weights, apiclus1['stype'], {'E': 4421, 'H': 755, 'M': 1018}).step
)
# calibrate(CLUS1, ~stype+sch.wide, c(`(Intercept)`=6194, stypeH=755, stypeM=1018,
MARGINS = {'stype': {'E': 4421, 'H': 755, 'M': 1018}, 'sch.wide': {'No': 1072, 'Yes': 5122}}
#   sch.wideYes=5122), calfun='raking', epsilon=1e-12)
RAKED = CLUS1.calibrated(
    weights.rake(
        CLUS1.weights,
        {name: apiclus1[name] for name in MARGINS},
        MARGINS,
        tolerance=1e-13,
    ).step
)
# calibrate(CLUS2, ~stype+sch.wide, c(`(Intercept)`=6194, stypeH=755, stypeM=1018,
#   sch.wideYes=5122), calfun='raking', epsilon=1e-12)
RAKED2 = CLUS2.calibrated(
    weights.rake(
        CLUS2.weights,
        {name: apiclus2[name] for name in MARGINS},
        MARGINS,
        tolerance=1e-13,
    ).step
)
# postStratify(STRAT, ~sch.wide, data.frame(sch.wide=c('No','Yes'), Freq=c(1072,5122)))
POST_STRAT = STRAT.calibrated(
    weights.post_stratify(STRAT.weights, apistrat['sch.wide'], {'No': 1072, 'Yes': 5122}).step
)


def test_mean_srs() -> None:
    # svymean(~api00, SRS)
    agrees([mean(SRS, apisrs['api00'])], est=[656.585], se=[9.249722039282812])


def test_total_srs() -> None:
    # svytotal(~enroll, SRS, na.rm=TRUE)
    agrees([total(SRS, apisrs['enroll'])], est=[3621074.34], se=[169519.65434405906])


def test_ratio_srs() -> None:
    # svyratio(~api.stu, ~enroll, SRS, na.rm=TRUE)
    agrees(
        [ratio(SRS, apisrs['api.stu'], apisrs['enroll'])],
        est=[0.8253536545731343],
        se=[0.01006882632332813],
    )


def test_domain_means_srs() -> None:
    # svyby(~api00, ~stype, SRS, svymean, covmat=TRUE)
    agrees(
        mean(SRS, apisrs['api00'], by=apisrs['stype']),
        est=[666.1408450704225, 605.36, 654.2727272727273],
        se=[11.193523397164364, 21.926644697335732, 21.82611599131548],
        covariance=[
            125.29496604286606,
            6.77927340424307e-31,
            -6.347865096700329e-31,
            6.77927340424307e-31,
            480.77774768320114,
            1.79807576483757e-30,
            -6.347865096700329e-31,
            1.79807576483757e-30,
            476.37933926635725,
        ],
    )


def test_domain_totals_srs() -> None:
    # svyby(~enroll, ~sch.wide, SRS, svytotal, na.rm=TRUE)
    agrees(
        total(SRS, apisrs['enroll'], by=apisrs['sch.wide']),
        est=[948765.95, 2672308.39],
        se=[173850.41117958474, 152221.97957679702],
    )


def test_missing_answers_are_a_domain_srs() -> None:
    # svymean(~acs.core, SRS, na.rm=TRUE)
    agrees([mean(SRS, apisrs['acs.core'])], est=[27.483333333333334], se=[0.4029407515449909])


def test_deff_srs() -> None:
    # svymean(~api00, SRS, deff=TRUE)
    agrees([mean(SRS, apisrs['api00'])], deff=[1.0000000000000004])


def test_deff_with_replacement_srs() -> None:
    # svymean(~api00, SRS, deff="replace")
    agrees([mean(SRS, apisrs['api00'])], deff_wr=[0.967710687762351])


def test_several_columns_srs() -> None:
    # svymean(~api00+api99+meals, SRS)
    agrees(
        mean(SRS, {name: apisrs[name] for name in ('api00', 'api99', 'meals')}),
        est=[656.585, 624.685, 50.01],
        se=[9.249722039282812, 9.500304099451547, 2.089166785804883],
        covariance=[
            85.55735780399418,
            85.72148688579324,
            -15.07961122605276,
            85.72148688579324,
            90.25577798205587,
            -16.326066357700675,
            -15.07961122605276,
            -16.326066357700675,
            4.364617858910306,
        ],
    )


def test_df_in_domain_srs() -> None:
    # degf(subset(SRS, stype=='H'))
    agrees([mean(SRS, apisrs['api00'], where=matches(apisrs['stype'], 'H'))], df=[24.0])


def test_mean_strat() -> None:
    # svymean(~api00, STRAT)
    agrees([mean(STRAT, apistrat['api00'])], est=[662.2873631593208], se=[9.40894080278458])


def test_total_strat() -> None:
    # svytotal(~enroll, STRAT, na.rm=TRUE)
    agrees([total(STRAT, apistrat['enroll'])], est=[3687177.532438278], se=[114641.7161007803])


def test_ratio_strat() -> None:
    # svyratio(~api.stu, ~enroll, STRAT, na.rm=TRUE)
    agrees(
        [ratio(STRAT, apistrat['api.stu'], apistrat['enroll'])],
        est=[0.8369568869405217],
        se=[0.007757103166637883],
    )


def test_domain_means_strat() -> None:
    # svyby(~api00, ~stype, STRAT, svymean, covmat=TRUE)
    agrees(
        mean(STRAT, apistrat['api00'], by=apistrat['stype']),
        est=[674.43, 625.8199999999999, 636.6],
        se=[12.382479793907287, 14.93712918539308, 16.214707308184522],
        covariance=[
            153.32580584652223,
            0.0,
            0.0,
            0.0,
            223.1178283011217,
            0.0,
            0.0,
            0.0,
            262.9167330900926,
        ],
    )


def test_domain_totals_strat() -> None:
    # svyby(~enroll, ~sch.wide, STRAT, svytotal, na.rm=TRUE)
    agrees(
        total(STRAT, apistrat['enroll'], by=apistrat['sch.wide']),
        est=[1013067.4193115234, 2674110.1131267548],
        se=[133475.23301585278, 128645.6884671895],
    )


def test_missing_answers_are_a_domain_strat() -> None:
    # svymean(~acs.core, STRAT, na.rm=TRUE)
    agrees([mean(STRAT, apistrat['acs.core'])], est=[27.238619681427803], se=[0.3459793597420233])


def test_deff_strat() -> None:
    # svymean(~api00, STRAT, deff=TRUE)
    agrees([mean(STRAT, apistrat['api00'])], deff=[1.2044572685377168])


def test_deff_with_replacement_strat() -> None:
    # svymean(~api00, STRAT, deff="replace")
    agrees([mean(STRAT, apistrat['api00'])], deff_wr=[1.1655661714535261])


def test_several_columns_strat() -> None:
    # svymean(~api00+api99+meals, STRAT)
    agrees(
        mean(STRAT, {name: apistrat[name] for name in ('api00', 'api99', 'meals')}),
        est=[662.2873631593208, 629.3948447839612, 48.22427337245369],
        se=[9.40894080278458, 9.963947298666884, 2.238654202592771],
        covariance=[
            88.52816703030454,
            91.80067534592563,
            -18.64500280941586,
            91.80067534592563,
            99.2802457706111,
            -19.963630334804524,
            -18.64500280941586,
            -19.963630334804524,
            5.011572638786275,
        ],
    )


def test_df_in_domain_strat() -> None:
    # degf(subset(STRAT, stype=='H'))
    agrees([mean(STRAT, apistrat['api00'], where=matches(apistrat['stype'], 'H'))], df=[49.0])


def test_mean_strat_wr() -> None:
    # svymean(~api00, STRAT_WR)
    agrees([mean(STRAT_WR, apistrat['api00'])], est=[662.2873631593208], se=[9.536132296925159])


def test_total_strat_wr() -> None:
    # svytotal(~enroll, STRAT_WR, na.rm=TRUE)
    agrees([total(STRAT_WR, apistrat['enroll'])], est=[3687177.532438278], se=[117319.08596896476])


def test_ratio_strat_wr() -> None:
    # svyratio(~api.stu, ~enroll, STRAT_WR, na.rm=TRUE)
    agrees(
        [ratio(STRAT_WR, apistrat['api.stu'], apistrat['enroll'])],
        est=[0.8369568869405217],
        se=[0.007970259044295526],
    )


def test_domain_means_strat_wr() -> None:
    # svyby(~api00, ~stype, STRAT_WR, svymean, covmat=TRUE)
    agrees(
        mean(STRAT_WR, apistrat['api00'], by=apistrat['stype']),
        est=[674.43, 625.8199999999999, 636.6],
        se=[12.524942831378233, 15.457742000534944, 16.628203235982625],
        covariance=[
            156.87419292929297,
            0.0,
            0.0,
            0.0,
            238.94178775510207,
            0.0,
            0.0,
            0.0,
            276.497142857143,
        ],
    )


def test_domain_totals_strat_wr() -> None:
    # svyby(~enroll, ~sch.wide, STRAT_WR, svytotal, na.rm=TRUE)
    agrees(
        total(STRAT_WR, apistrat['enroll'], by=apistrat['sch.wide']),
        est=[1013067.4193115234, 2674110.1131267548],
        se=[137217.31646075123, 131442.37050381614],
    )


def test_missing_answers_are_a_domain_strat_wr() -> None:
    # svymean(~acs.core, STRAT_WR, na.rm=TRUE)
    agrees(
        [mean(STRAT_WR, apistrat['acs.core'])], est=[27.238619681427803], se=[0.3532528816881582]
    )


def test_deff_strat_wr() -> None:
    # svymean(~api00, STRAT_WR, deff=TRUE)
    agrees([mean(STRAT_WR, apistrat['api00'])], deff=[1.2372414450216322])


def test_deff_with_replacement_strat_wr() -> None:
    # svymean(~api00, STRAT_WR, deff="replace")
    agrees([mean(STRAT_WR, apistrat['api00'])], deff_wr=[1.1972917694193266])


def test_several_columns_strat_wr() -> None:
    # svymean(~api00+api99+meals, STRAT_WR)
    agrees(
        mean(STRAT_WR, {name: apistrat[name] for name in ('api00', 'api99', 'meals')}),
        est=[662.2873631593208, 629.3948447839612, 48.22427337245369],
        se=[9.536132296925159, 10.096986655107294, 2.268299954071189],
        covariance=[
            90.93781918445912,
            94.28400692684018,
            -19.143354424584146,
            94.28400692684018,
            101.94913951341476,
            -20.49412600706943,
            -19.143354424584146,
            -20.49412600706943,
            5.145184681639358,
        ],
    )


def test_df_in_domain_strat_wr() -> None:
    # degf(subset(STRAT_WR, stype=='H'))
    agrees([mean(STRAT_WR, apistrat['api00'], where=matches(apistrat['stype'], 'H'))], df=[49.0])


def test_mean_clus1() -> None:
    # svymean(~api00, CLUS1)
    agrees([mean(CLUS1, apiclus1['api00'])], est=[644.1693989071039], se=[23.54224069378104])


def test_total_clus1() -> None:
    # svytotal(~enroll, CLUS1, na.rm=TRUE)
    agrees([total(CLUS1, apiclus1['enroll'])], est=[3404940.134529114], se=[932235.0270412152])


def test_ratio_clus1() -> None:
    # svyratio(~api.stu, ~enroll, CLUS1, na.rm=TRUE)
    agrees(
        [ratio(CLUS1, apiclus1['api.stu'], apiclus1['enroll'])],
        est=[0.8497087417244875],
        se=[0.008386297169391089],
    )


def test_domain_means_clus1() -> None:
    # svyby(~api00, ~stype, CLUS1, svymean, covmat=TRUE)
    agrees(
        mean(CLUS1, apiclus1['api00'], by=apiclus1['stype']),
        est=[648.8680555555555, 618.5714285714286, 631.44],
        se=[22.36240889383189, 38.02024935940753, 31.609465227245526],
        covariance=[
            500.0773315349316,
            521.9797796369528,
            646.8374323795807,
            521.9797796369528,
            1445.5393613515287,
            658.3309333836573,
            646.8374323795807,
            658.3309333836573,
            999.1582919524441,
        ],
    )


def test_domain_totals_clus1() -> None:
    # svyby(~enroll, ~sch.wide, CLUS1, svytotal, na.rm=TRUE)
    agrees(
        total(CLUS1, apiclus1['enroll'], by=apiclus1['sch.wide']),
        est=[455682.11128616333, 2949258.0232429504],
        se=[138336.32814012727, 840692.8123090131],
    )


def test_missing_answers_are_a_domain_clus1() -> None:
    # svymean(~acs.core, CLUS1, na.rm=TRUE)
    agrees([mean(CLUS1, apiclus1['acs.core'])], est=[27.871794871794872], se=[0.9654435896046519])


def test_deff_clus1() -> None:
    # svymean(~api00, CLUS1, deff=TRUE)
    agrees([mean(CLUS1, apiclus1['api00'])], deff=[9.34586945059095])


def test_deff_with_replacement_clus1() -> None:
    # svymean(~api00, CLUS1, deff="replace")
    agrees([mean(CLUS1, apiclus1['api00'])], deff_wr=[9.069748362453062])


def test_several_columns_clus1() -> None:
    # svymean(~api00+api99+meals, CLUS1)
    agrees(
        mean(CLUS1, {name: apiclus1[name] for name in ('api00', 'api99', 'meals')}),
        est=[644.1693989071039, 606.9781420765028, 50.53551912568306],
        se=[23.54224069378104, 24.225040906133383, 6.269043011316927],
        covariance=[
            554.2370968839199,
            565.785631731595,
            -142.10744595736114,
            565.785631731595,
            586.8526069038357,
            -146.03796891922448,
            -142.10744595736114,
            -146.03796891922448,
            39.300900277741604,
        ],
    )


def test_df_in_domain_clus1() -> None:
    # degf(subset(CLUS1, stype=='H'))
    agrees([mean(CLUS1, apiclus1['api00'], where=matches(apiclus1['stype'], 'H'))], df=[7.0])


def test_mean_clus2() -> None:
    # svymean(~api00, CLUS2)
    agrees([mean(CLUS2, apiclus2['api00'])], est=[670.8118081180811], se=[30.099027376836585])


def test_total_clus2() -> None:
    # svytotal(~enroll, CLUS2, na.rm=TRUE)
    agrees([total(CLUS2, apiclus2['enroll'])], est=[2639272.93], se=[799637.7736483577])


def test_ratio_clus2() -> None:
    # svyratio(~api.stu, ~enroll, CLUS2, na.rm=TRUE)
    agrees(
        [ratio(CLUS2, apiclus2['api.stu'], apiclus2['enroll'])],
        est=[0.8197370421254614],
        se=[0.018850563312671213],
    )


def test_domain_means_clus2() -> None:
    # svyby(~api00, ~stype, CLUS2, svymean, covmat=TRUE)
    agrees(
        mean(CLUS2, apiclus2['api00'], by=apiclus2['stype']),
        est=[692.810400866739, 598.3406593406593, 642.352],
        se=[29.926604237402984, 17.694167126090964, 45.09131630033112],
        covariance=[
            895.6016411821462,
            206.3260547396477,
            1144.3133073813208,
            206.3260547396477,
            313.0835502860382,
            276.16309148556155,
            1144.3133073813208,
            276.16309148556155,
            2033.2268056965074,
        ],
    )


def test_domain_totals_clus2() -> None:
    # svyby(~enroll, ~sch.wide, CLUS2, svytotal, na.rm=TRUE)
    agrees(
        total(CLUS2, apiclus2['enroll'], by=apiclus2['sch.wide']),
        est=[1104845.285, 1534427.645],
        se=[525671.2699354466, 414690.6061468762],
    )


def test_missing_answers_are_a_domain_clus2() -> None:
    # svymean(~acs.core, CLUS2, na.rm=TRUE)
    agrees([mean(CLUS2, apiclus2['acs.core'])], est=[26.971553610503282], se=[0.7118909494178666])


def test_deff_clus2() -> None:
    # svymean(~api00, CLUS2, deff=TRUE)
    agrees([mean(CLUS2, apiclus2['api00'])], deff=[6.250513755712571])


def test_deff_with_replacement_clus2() -> None:
    # svymean(~api00, CLUS2, deff="replace")
    agrees([mean(CLUS2, apiclus2['api00'])], deff_wr=[6.09695270276619])


def test_several_columns_clus2() -> None:
    # svymean(~api00+api99+meals, CLUS2)
    agrees(
        mean(CLUS2, {name: apiclus2[name] for name in ('api00', 'api99', 'meals')}),
        est=[670.8118081180811, 645.0339483394833, 52.54612546125461],
        se=[30.099027376836585, 29.711308845115408, 10.517517959744975],
        covariance=[
            905.9514490315581,
            890.3182105304928,
            -240.64341344233753,
            890.3182105304928,
            882.761873289833,
            -248.84410906367083,
            -240.64341344233753,
            -248.84410906367083,
            110.6181840335581,
        ],
    )


def test_df_in_domain_clus2() -> None:
    # degf(subset(CLUS2, stype=='H'))
    agrees([mean(CLUS2, apiclus2['api00'], where=matches(apiclus2['stype'], 'H'))], df=[13.0])


def test_mean_clus2_wr() -> None:
    # svymean(~api00, CLUS2_WR)
    agrees([mean(CLUS2_WR, apiclus2['api00'])], est=[670.8118081180811], se=[30.711576309328848])


def test_total_clus2_wr() -> None:
    # svytotal(~enroll, CLUS2_WR, na.rm=TRUE)
    agrees([total(CLUS2_WR, apiclus2['enroll'])], est=[2639272.93], se=[820261.1464767578])


def test_ratio_clus2_wr() -> None:
    # svyratio(~api.stu, ~enroll, CLUS2_WR, na.rm=TRUE)
    agrees(
        [ratio(CLUS2_WR, apiclus2['api.stu'], apiclus2['enroll'])],
        est=[0.8197370421254614],
        se=[0.019138986783365303],
    )


def test_domain_means_clus2_wr() -> None:
    # svyby(~api00, ~stype, CLUS2_WR, svymean, covmat=TRUE)
    agrees(
        mean(CLUS2_WR, apiclus2['api00'], by=apiclus2['stype']),
        est=[692.810400866739, 598.3406593406593, 642.352],
        se=[30.282439544194325, 16.964995298822767, 45.343633460027306],
        covariance=[
            917.0261447477843,
            219.87057209083963,
            1221.8645647716105,
            219.87057209083963,
            287.8110654890786,
            294.3390906729331,
            1221.8645647716105,
            294.3390906729331,
            2056.0450953573077,
        ],
    )


def test_domain_totals_clus2_wr() -> None:
    # svyby(~enroll, ~sch.wide, CLUS2_WR, svytotal, na.rm=TRUE)
    agrees(
        total(CLUS2_WR, apiclus2['enroll'], by=apiclus2['sch.wide']),
        est=[1104845.285, 1534427.645],
        se=[535893.9115192994, 424757.1061291348],
    )


def test_missing_answers_are_a_domain_clus2_wr() -> None:
    # svymean(~acs.core, CLUS2_WR, na.rm=TRUE)
    agrees(
        [mean(CLUS2_WR, apiclus2['acs.core'])], est=[26.971553610503282], se=[0.7272655541864321]
    )


def test_deff_clus2_wr() -> None:
    # svymean(~api00, CLUS2_WR, deff=TRUE)
    agrees([mean(CLUS2_WR, apiclus2['api00'])], deff=[6.5075124361641015])


def test_deff_with_replacement_clus2_wr() -> None:
    # svymean(~api00, CLUS2_WR, deff="replace")
    agrees([mean(CLUS2_WR, apiclus2['api00'])], deff_wr=[6.347637504148196])


def test_several_columns_clus2_wr() -> None:
    # svymean(~api00+api99+meals, CLUS2_WR)
    agrees(
        mean(CLUS2_WR, {name: apiclus2[name] for name in ('api00', 'api99', 'meals')}),
        est=[670.8118081180811, 645.0339483394833, 52.54612546125461],
        se=[30.711576309328848, 30.307619197748682, 10.786185452899337],
        covariance=[
            943.200919403729,
            926.8975165650089,
            -252.35042060917831,
            926.8975165650089,
            918.5517814357444,
            -260.7648650080066,
            -252.35042060917831,
            -260.7648650080066,
            116.34179662433729,
        ],
    )


def test_df_in_domain_clus2_wr() -> None:
    # degf(subset(CLUS2_WR, stype=='H'))
    agrees([mean(CLUS2_WR, apiclus2['api00'], where=matches(apiclus2['stype'], 'H'))], df=[13.0])


def test_mean_post() -> None:
    # svymean(~api00, POST)
    agrees([mean(POST, apiclus1['api00'])], est=[642.3107882115821], se=[23.92048644509039])


def test_total_post() -> None:
    # svytotal(~enroll, POST, na.rm=TRUE)
    agrees([total(POST, apiclus1['enroll'])], est=[3680892.9451190475], se=[406292.63629480236])


def test_ratio_post() -> None:
    # svyratio(~api.stu, ~enroll, POST, na.rm=TRUE)
    agrees(
        [ratio(POST, apiclus1['api.stu'], apiclus1['enroll'])],
        est=[0.8479897895180134],
        se=[0.007188258625403315],
    )


def test_domain_means_post() -> None:
    # svyby(~api00, ~stype, POST, svymean)
    agrees(
        mean(POST, apiclus1['api00'], by=apiclus1['stype']),
        est=[648.8680555555555, 618.5714285714286, 631.44],
        se=[22.36240889383189, 38.02024935940753, 31.609465227245526],
    )


def test_domain_totals_post() -> None:
    # svyby(~enroll, ~sch.wide, POST, svytotal, na.rm=TRUE)
    agrees(
        total(POST, apiclus1['enroll'], by=apiclus1['sch.wide']),
        est=[525233.3562301587, 3155659.5888888887],
        se=[130877.02439139687, 399539.55990160006],
    )


def test_missing_answers_are_a_domain_post() -> None:
    # svymean(~acs.core, POST, na.rm=TRUE)
    agrees([mean(POST, apiclus1['acs.core'])], est=[27.6822249899504], se=[0.969274867288753])


def test_deff_post() -> None:
    # svymean(~api00, POST, deff=TRUE)
    agrees([mean(POST, apiclus1['api00'])], deff=[9.716853378681847])


def test_deff_with_replacement_post() -> None:
    # svymean(~api00, POST, deff="replace")
    agrees([mean(POST, apiclus1['api00'])], deff_wr=[9.429771659550628])


def test_several_columns_post() -> None:
    # svymean(~api00+api99+meals, POST)
    agrees(
        mean(POST, {name: apiclus1[name] for name in ('api00', 'api99', 'meals')}),
        est=[642.3107882115821, 606.4523803757861, 49.553436652725885],
        se=[23.92048644509039, 24.699154514622403, 6.042984685966926],
        covariance=[
            572.1896717697531,
            585.7757202395782,
            -137.2458961576634,
            585.7757202395782,
            610.0482337371923,
            -142.18694473599905,
            -137.2458961576634,
            -142.18694473599905,
            36.517663914830784,
        ],
    )


def test_df_in_domain_post() -> None:
    # degf(subset(POST, stype=='H'))
    agrees([mean(POST, apiclus1['api00'], where=matches(apiclus1['stype'], 'H'))], df=[7.0])


def test_mean_raked() -> None:
    # svymean(~api00, RAKED)
    agrees([mean(RAKED, apiclus1['api00'])], est=[641.23032092682], se=[23.703616887921733])


def test_total_raked() -> None:
    # svytotal(~enroll, RAKED, na.rm=TRUE)
    agrees([total(RAKED, apiclus1['enroll'])], est=[3647280.148065178], se=[400603.2568620043])


def test_ratio_raked() -> None:
    # svyratio(~api.stu, ~enroll, RAKED, na.rm=TRUE)
    agrees(
        [ratio(RAKED, apiclus1['api.stu'], apiclus1['enroll'])],
        est=[0.8482315717359813],
        se=[0.007232525509954303],
    )


def test_domain_means_raked() -> None:
    # svyby(~api00, ~stype, RAKED, svymean)
    agrees(
        mean(RAKED, apiclus1['api00'], by=apiclus1['stype']),
        est=[647.4465792284165, 621.2918610548976, 629.021538266647],
        se=[22.808412194096874, 36.74314487776754, 29.962880959058364],
    )


def test_domain_totals_raked() -> None:
    # svyby(~enroll, ~sch.wide, RAKED, svytotal, na.rm=TRUE)
    agrees(
        total(RAKED, apiclus1['enroll'], by=apiclus1['sch.wide']),
        est=[652617.1833126077, 2994662.9647525703],
        se=[112095.42322848497, 357980.33899525914],
    )


def test_missing_answers_are_a_domain_raked() -> None:
    # svymean(~acs.core, RAKED, na.rm=TRUE)
    agrees([mean(RAKED, apiclus1['acs.core'])], est=[27.620767543908904], se=[0.9828498140049127])


def test_deff_raked() -> None:
    # svymean(~api00, RAKED, deff=TRUE)
    agrees([mean(RAKED, apiclus1['api00'])], deff=[9.636998931111979])


def test_deff_with_replacement_raked() -> None:
    # svymean(~api00, RAKED, deff="replace")
    agrees([mean(RAKED, apiclus1['api00'])], deff_wr=[9.352276489330658])


def test_several_columns_raked() -> None:
    # svymean(~api00+api99+meals, RAKED)
    agrees(
        mean(RAKED, {name: apiclus1[name] for name in ('api00', 'api99', 'meals')}),
        est=[641.23032092682, 606.9173325044, 49.72894830829395],
        se=[23.703616887921733, 24.563442592939968, 6.0864579669655665],
        covariance=[
            561.8614535693683,
            578.4985369222252,
            -137.32402067938847,
            578.4985369222252,
            603.3627120166574,
            -142.76494574620958,
            -137.32402067938847,
            -142.76494574620958,
            37.044970583638616,
        ],
    )


def test_df_in_domain_raked() -> None:
    # degf(subset(RAKED, stype=='H'))
    agrees([mean(RAKED, apiclus1['api00'], where=matches(apiclus1['stype'], 'H'))], df=[7.0])


def test_mean_raked2() -> None:
    # svymean(~api00, RAKED2)
    agrees([mean(RAKED2, apiclus2['api00'])], est=[681.702227595406], se=[25.997541460420948])


def test_total_raked2() -> None:
    # svytotal(~enroll, RAKED2, na.rm=TRUE)
    agrees([total(RAKED2, apiclus2['enroll'])], est=[3033714.264015456], se=[296392.11239976744])


def test_ratio_raked2() -> None:
    # svyratio(~api.stu, ~enroll, RAKED2, na.rm=TRUE)
    agrees(
        [ratio(RAKED2, apiclus2['api.stu'], apiclus2['enroll'])],
        est=[0.8195051406112801],
        se=[0.012653915225634558],
    )


def test_domain_means_raked2() -> None:
    # svyby(~api00, ~stype, RAKED2, svymean)
    agrees(
        mean(RAKED2, apiclus2['api00'], by=apiclus2['stype']),
        est=[696.0232581079288, 611.0769348308295, 671.8877090702506],
        se=[29.41732854635336, 19.40167176859774, 33.877742549559514],
    )


def test_domain_totals_raked2() -> None:
    # svyby(~enroll, ~sch.wide, RAKED2, svytotal, na.rm=TRUE)
    agrees(
        total(RAKED2, apiclus2['enroll'], by=apiclus2['sch.wide']),
        est=[963018.7444151881, 2070695.519600268],
        se=[110563.76542747598, 288330.6182402933],
    )


def test_missing_answers_are_a_domain_raked2() -> None:
    # svymean(~acs.core, RAKED2, na.rm=TRUE)
    agrees([mean(RAKED2, apiclus2['acs.core'])], est=[26.764665311918822], se=[0.707569478955187])


def test_deff_raked2() -> None:
    # svymean(~api00, RAKED2, deff=TRUE)
    agrees([mean(RAKED2, apiclus2['api00'])], deff=[4.648909105750954])


def test_deff_with_replacement_raked2() -> None:
    # svymean(~api00, RAKED2, deff="replace")
    agrees([mean(RAKED2, apiclus2['api00'])], deff_wr=[4.554339756812527])


def test_several_columns_raked2() -> None:
    # svymean(~api00+api99+meals, RAKED2)
    agrees(
        mean(RAKED2, {name: apiclus2[name] for name in ('api00', 'api99', 'meals')}),
        est=[681.702227595406, 653.0162771246243, 51.80325707345527],
        se=[25.997541460420948, 27.34006626145833, 9.977833914066206],
        covariance=[
            675.8721619863062,
            709.1503814121932,
            -236.2959255310695,
            709.1503814121932,
            747.479223180932,
            -247.6010992878776,
            -236.2959255310695,
            -247.6010992878776,
            99.55716961668973,
        ],
    )


def test_df_in_domain_raked2() -> None:
    # degf(subset(RAKED2, stype=='H'))
    agrees([mean(RAKED2, apiclus2['api00'], where=matches(apiclus2['stype'], 'H'))], df=[13.0])


def test_mean_post_strat() -> None:
    # svymean(~api00, POST_STRAT)
    agrees([mean(POST_STRAT, apistrat['api00'])], est=[662.2030294504443], se=[9.272543899907804])


def test_total_post_strat() -> None:
    # svytotal(~enroll, POST_STRAT, na.rm=TRUE)
    agrees(
        [total(POST_STRAT, apistrat['enroll'])], est=[3689885.6776593067], se=[125625.23333752091]
    )


def test_ratio_post_strat() -> None:
    # svyratio(~api.stu, ~enroll, POST_STRAT, na.rm=TRUE)
    agrees(
        [ratio(POST_STRAT, apistrat['api.stu'], apistrat['enroll'])],
        est=[0.8368911489566657],
        se=[0.007852821428600826],
    )


def test_domain_means_post_strat() -> None:
    # svyby(~api00, ~stype, POST_STRAT, svymean)
    agrees(
        mean(POST_STRAT, apistrat['api00'], by=apistrat['stype']),
        est=[674.3993115617951, 625.7164347710892, 636.4112313744565],
        se=[12.330511420224664, 14.911934279869191, 15.887341727289376],
    )


def test_domain_totals_post_strat() -> None:
    # svyby(~enroll, ~sch.wide, POST_STRAT, svytotal, na.rm=TRUE)
    agrees(
        total(POST_STRAT, apistrat['enroll'], by=apistrat['sch.wide']),
        est=[1019065.8289363175, 2670819.848722989],
        se=[101379.55625467608, 96009.2274183842],
    )


def test_missing_answers_are_a_domain_post_strat() -> None:
    # svymean(~acs.core, POST_STRAT, na.rm=TRUE)
    agrees(
        [mean(POST_STRAT, apistrat['acs.core'])], est=[27.239129059706862], se=[0.34555549691917037]
    )


def test_deff_post_strat() -> None:
    # svymean(~api00, POST_STRAT, deff=TRUE)
    agrees([mean(POST_STRAT, apistrat['api00'])], deff=[1.1695439142196242])


def test_deff_with_replacement_post_strat() -> None:
    # svymean(~api00, POST_STRAT, deff="replace")
    agrees([mean(POST_STRAT, apistrat['api00'])], deff_wr=[1.1317801455977443])


def test_several_columns_post_strat() -> None:
    # svymean(~api00+api99+meals, POST_STRAT)
    agrees(
        mean(POST_STRAT, {name: apistrat[name] for name in ('api00', 'api99', 'meals')}),
        est=[662.2030294504443, 629.3553757869853, 48.224476201777925],
        se=[9.272543899907804, 9.949673016500785, 2.237377944287162],
        covariance=[
            85.98007037571743,
            90.93490384611403,
            -18.42123366146365,
            90.93490384611403,
            98.99599313528383,
            -19.84746311697134,
            -18.42123366146365,
            -19.84746311697134,
            5.005860065582647,
        ],
    )


def test_df_in_domain_post_strat() -> None:
    # degf(subset(POST_STRAT, stype=='H'))
    agrees([mean(POST_STRAT, apistrat['api00'], where=matches(apistrat['stype'], 'H'))], df=[49.0])


def test_interval_korn_graubard_strat() -> None:
    # svyciprop(~I(sch.wide=='Yes'), STRAT, method='beta')
    agrees(
        [proportion(STRAT, apistrat['sch.wide'], value='Yes', method='korn-graubard')],
        est=[0.8279480114158234],
        interval=[0.7741713285973125, 0.8734315926207352],
    )


def test_interval_logit_strat() -> None:
    # svyciprop(~I(sch.wide=='Yes'), STRAT, method='xlogit')
    agrees(
        [proportion(STRAT, apistrat['sch.wide'], value='Yes', method='logit')],
        est=[0.8279480114158234],
        interval=[0.7745396547467682, 0.8708148549435987],
    )


def test_interval_arcsine_strat() -> None:
    # svyciprop(~I(sch.wide=='Yes'), STRAT, method='asin')
    agrees(
        [proportion(STRAT, apistrat['sch.wide'], value='Yes', method='arcsine')],
        est=[0.8279480114158234],
        interval=[0.7774179082343196, 0.8731788341499026],
    )


def test_interval_wald_strat() -> None:
    # svyciprop(~I(sch.wide=='Yes'), STRAT, method='mean')
    agrees(
        [proportion(STRAT, apistrat['sch.wide'], value='Yes', method='wald')],
        est=[0.8279480114158234],
        interval=[0.7799381809728808, 0.875957841858766],
    )


def test_interval_likelihood_strat() -> None:
    # svyciprop(~I(sch.wide=='Yes'), STRAT, method='likelihood')
    agrees(
        [proportion(STRAT, apistrat['sch.wide'], value='Yes', method='likelihood')],
        est=[0.8279480110019575],
        interval=[0.7764118534284913, 0.8724158660515278],
        rtol=0.003,
    )


def test_mean_t_interval_strat() -> None:
    # confint(svymean(~api00, STRAT), df=degf(STRAT))
    agrees([mean(STRAT, apistrat['api00'])], interval=[643.7321882720862, 680.8425380465553])


def test_contrast_strat() -> None:
    # svyglm(api00 ~ stype, STRAT)
    agrees(
        [difference(mean(STRAT, apistrat['api00'], by=apistrat['stype']), 'M', 'E')],
        est=[-37.830000000000396],
        se=[20.402022912853926],
    )


def test_interval_korn_graubard_clus1() -> None:
    # svyciprop(~I(sch.wide=='Yes'), CLUS1, method='beta')
    agrees(
        [proportion(CLUS1, apiclus1['sch.wide'], value='Yes', method='korn-graubard')],
        est=[0.8743169398907104],
        interval=[0.8237022108475011, 0.9147044921268653],
    )


def test_interval_logit_clus1() -> None:
    # svyciprop(~I(sch.wide=='Yes'), CLUS1, method='xlogit')
    agrees(
        [proportion(CLUS1, apiclus1['sch.wide'], value='Yes', method='logit')],
        est=[0.8743169398907104],
        interval=[0.8237988923830017, 0.9119000770243931],
    )


def test_interval_arcsine_clus1() -> None:
    # svyciprop(~I(sch.wide=='Yes'), CLUS1, method='asin')
    agrees(
        [proportion(CLUS1, apiclus1['sch.wide'], value='Yes', method='arcsine')],
        est=[0.8743169398907104],
        interval=[0.8275334533210862, 0.9146145718489066],
    )


def test_interval_wald_clus1() -> None:
    # svyciprop(~I(sch.wide=='Yes'), CLUS1, method='mean')
    agrees(
        [proportion(CLUS1, apiclus1['sch.wide'], value='Yes', method='wald')],
        est=[0.8743169398907104],
        interval=[0.830650204123468, 0.9179836756579527],
    )


def test_interval_likelihood_clus1() -> None:
    # svyciprop(~I(sch.wide=='Yes'), CLUS1, method='likelihood')
    agrees(
        [proportion(CLUS1, apiclus1['sch.wide'], value='Yes', method='likelihood')],
        est=[0.8743169398870401],
        interval=[0.8262882419635761, 0.9136944918924953],
        rtol=0.003,
    )


def test_mean_t_interval_clus1() -> None:
    # confint(svymean(~api00, CLUS1), df=degf(CLUS1))
    agrees([mean(CLUS1, apiclus1['api00'])], interval=[593.6763144633255, 694.6624833508822])


def test_contrast_clus1() -> None:
    # svyglm(api00 ~ stype, CLUS1)
    agrees(
        [difference(mean(CLUS1, apiclus1['api00'], by=apiclus1['stype']), 'M', 'E')],
        est=[-17.428055555555556],
        se=[14.337390234216771],
    )


def test_interval_korn_graubard_clus2() -> None:
    # svyciprop(~I(sch.wide=='Yes'), CLUS2, method='beta')
    agrees(
        [proportion(CLUS2, apiclus2['sch.wide'], value='Yes', method='korn-graubard')],
        est=[0.7512915129151291],
        interval=[0.5907711261130624, 0.8732922796574254],
    )


def test_interval_logit_clus2() -> None:
    # svyciprop(~I(sch.wide=='Yes'), CLUS2, method='xlogit')
    agrees(
        [proportion(CLUS2, apiclus2['sch.wide'], value='Yes', method='logit')],
        est=[0.7512915129151291],
        interval=[0.5955078708009254, 0.8610743799122996],
    )


def test_interval_arcsine_clus2() -> None:
    # svyciprop(~I(sch.wide=='Yes'), CLUS2, method='asin')
    agrees(
        [proportion(CLUS2, apiclus2['sch.wide'], value='Yes', method='arcsine')],
        est=[0.7512915129151291],
        interval=[0.6071145579688115, 0.8714075447349784],
    )


def test_interval_wald_clus2() -> None:
    # svyciprop(~I(sch.wide=='Yes'), CLUS2, method='mean')
    agrees(
        [proportion(CLUS2, apiclus2['sch.wide'], value='Yes', method='wald')],
        est=[0.7512915129151291],
        interval=[0.6169949726731485, 0.8855880531571096],
    )


def test_interval_likelihood_clus2() -> None:
    # svyciprop(~I(sch.wide=='Yes'), CLUS2, method='likelihood')
    agrees(
        [proportion(CLUS2, apiclus2['sch.wide'], value='Yes', method='likelihood')],
        est=[0.7512915128480646],
        interval=[0.6033829552275688, 0.8675976995238844],
        rtol=0.003,
    )


def test_mean_t_interval_clus2() -> None:
    # confint(svymean(~api00, CLUS2), df=degf(CLUS2))
    agrees([mean(CLUS2, apiclus2['api00'])], interval=[609.9307787410158, 731.6928374951464])


def test_contrast_clus2() -> None:
    # svyglm(api00 ~ stype, CLUS2)
    agrees(
        [difference(mean(CLUS2, apiclus2['api00'], by=apiclus2['stype']), 'M', 'E')],
        est=[-50.45840086673882],
        se=[25.302210024343967],
    )


def test_interval_korn_graubard_post() -> None:
    # svyciprop(~I(sch.wide=='Yes'), POST, method='beta')
    agrees(
        [proportion(POST, apiclus1['sch.wide'], value='Yes', method='korn-graubard')],
        est=[0.8618078170887341],
        interval=[0.8067057915520757, 0.9060365520467948],
    )


def test_interval_logit_post() -> None:
    # svyciprop(~I(sch.wide=='Yes'), POST, method='xlogit')
    agrees(
        [proportion(POST, apiclus1['sch.wide'], value='Yes', method='logit')],
        est=[0.8618078170887341],
        interval=[0.806904339213648, 0.9029774797527467],
    )


def test_interval_arcsine_post() -> None:
    # svyciprop(~I(sch.wide=='Yes'), POST, method='asin')
    agrees(
        [proportion(POST, apiclus1['sch.wide'], value='Yes', method='arcsine')],
        est=[0.8618078170887341],
        interval=[0.810829557286765, 0.9058900559291742],
    )


def test_interval_wald_post() -> None:
    # svyciprop(~I(sch.wide=='Yes'), POST, method='mean')
    agrees(
        [proportion(POST, apiclus1['sch.wide'], value='Yes', method='wald')],
        est=[0.8618078170887341],
        interval=[0.814126002877712, 0.9094896312997562],
    )


def test_interval_likelihood_post() -> None:
    # svyciprop(~I(sch.wide=='Yes'), POST, method='likelihood')
    agrees(
        [proportion(POST, apiclus1['sch.wide'], value='Yes', method='likelihood')],
        est=[0.8618078170887284],
        interval=[0.8095159602521689, 0.904906917558374],
        rtol=0.003,
    )


def test_mean_t_interval_post() -> None:
    # confint(svymean(~api00, POST), df=degf(POST))
    agrees([mean(POST, apiclus1['api00'])], interval=[591.006447315634, 693.6151291075303])


def test_contrast_post() -> None:
    # svyglm(api00 ~ stype, POST)
    agrees(
        [difference(mean(POST, apiclus1['api00'], by=apiclus1['stype']), 'M', 'E')],
        est=[-17.428055555555627],
        se=[14.337390234216803],
    )


def test_interval_korn_graubard_raked2() -> None:
    # svyciprop(~I(comp.imp=='Yes'), RAKED2, method='beta')
    agrees(
        [proportion(RAKED2, apiclus2['comp.imp'], value='Yes', method='korn-graubard')],
        est=[0.7512456963479951],
        interval=[0.657405420423372, 0.8304318972063373],
    )


def test_interval_logit_raked2() -> None:
    # svyciprop(~I(comp.imp=='Yes'), RAKED2, method='xlogit')
    agrees(
        [proportion(RAKED2, apiclus2['comp.imp'], value='Yes', method='logit')],
        est=[0.7512456963479951],
        interval=[0.6589493897635569, 0.8251906228330466],
    )


def test_interval_arcsine_raked2() -> None:
    # svyciprop(~I(comp.imp=='Yes'), RAKED2, method='asin')
    agrees(
        [proportion(RAKED2, apiclus2['comp.imp'], value='Yes', method='arcsine')],
        est=[0.7512456963479951],
        interval=[0.6636263098336667, 0.829527410513394],
    )


def test_interval_wald_raked2() -> None:
    # svyciprop(~I(comp.imp=='Yes'), RAKED2, method='mean')
    agrees(
        [proportion(RAKED2, apiclus2['comp.imp'], value='Yes', method='wald')],
        est=[0.7512456963479951],
        interval=[0.667777479619142, 0.8347139130768482],
    )


def test_interval_likelihood_raked2() -> None:
    # svyciprop(~I(comp.imp=='Yes'), RAKED2, method='likelihood')
    agrees(
        [proportion(RAKED2, apiclus2['comp.imp'], value='Yes', method='likelihood')],
        est=[0.7512456963258437],
        interval=[0.661891854815563, 0.8281683746837422],
        rtol=0.003,
    )


def test_mean_t_interval_raked2() -> None:
    # confint(svymean(~api00, RAKED2), df=degf(RAKED2))
    agrees([mean(RAKED2, apiclus2['api00'])], interval=[629.1172365401334, 734.2872186506787])


def test_contrast_raked2() -> None:
    # svyglm(api00 ~ stype, RAKED2)
    agrees(
        [difference(mean(RAKED2, apiclus2['api00'], by=apiclus2['stype']), 'M', 'E')],
        est=[-24.13554903767817],
        se=[22.55971598363697],
    )


def test_deff_total_clus2() -> None:
    # svytotal(~enroll, CLUS2, na.rm=TRUE, deff=TRUE)
    agrees([total(CLUS2, apiclus2['enroll'])], deff=[24.19400930655931])


def test_deff_ratio_strat() -> None:
    # deff(svyratio(~api.stu, ~enroll, STRAT, deff=TRUE))
    agrees([ratio(STRAT, apistrat['api.stu'], apistrat['enroll'])], deff=[0.5931250440124006])


def test_deff_domain_clus1() -> None:
    # svyby(~api00, ~stype, CLUS1, svymean, deff=TRUE)
    agrees(
        mean(CLUS1, apiclus1['api00'], by=apiclus1['stype']),
        deff=[6.583673525027803, 2.2282593168686184, 2.1638997200804564],
    )


def test_proportions_of_a_domain_clus2() -> None:
    # svyby(~I(sch.wide=='Yes'), ~stype, CLUS2, svymean)
    agrees(
        proportion(CLUS2, apiclus2['sch.wide'], value='Yes', by=apiclus2['stype']),
        est=[0.9306608884073673, 0.14835164835164835, 0.528],
        se=[0.038696796171021335, 0.08537528483109419, 0.1885921301115564],
    )
