# Writes expected values of test_regression.py: cd tests/analysis; Rscript ttests.R
# R survey 4.1-1.  R takes a degree of freedom off for one mean; statistic and estimate are what counts.
suppressMessages(library(survey)); data(api); options(digits=15, warn=-1)
D <- svydesign(id=~dnum+snum, weights=~pw, fpc=~fpc1+fpc2, data=apiclus2)
p <- svyttest(I(api00 - api99) ~ 0, D); cat('pair', p$statistic, p$parameter, p$estimate, '\n')
o <- svyttest(I(api00 - 650) ~ 0, D); cat('one', o$statistic, o$parameter, o$estimate, '\n')
d <- svyttest(I(api00 - api99) ~ 0, subset(D, stype == 'E')); cat('domain', d$statistic, d$estimate, '\n')
