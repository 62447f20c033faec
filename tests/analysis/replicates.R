# Writes expected values of test_replicates.py and test_quantile.py: cd tests/analysis; Rscript replicates.R
# R survey 4.1-1. Made up: 9 strata of two villages with 3 to 6 persons.
suppressMessages(library(survey)); options(digits=16, warn=-1)
rows <- list()
for (h in 0:8) for (i in 0:1) for (k in 0:(2 + (h + 2 * i) %% 4))
  rows[[length(rows) + 1]] <- data.frame(h=h, i=10 * h + i, k=k, w=1 + (7 * h + 5 * i + 3 * k) %% 11 / 4,
    y=(37 * h + 61 * i + 17 * k + 11 * i * k) %% 50 + h / 10, s=1 + (3 * h + i + 2 * k) %% 5, g=(i + k) %% 2)
d <- do.call(rbind, rows)
put <- function(k, ...) cat(k, paste(format(c(...), digits=16), collapse=', '), '\n')
D <- svydesign(id=~i, strata=~h, weights=~w, data=d)
B <- as.svrepdesign(D, type='BRR'); F <- as.svrepdesign(D, type='Fay', fay.rho=0.3); J <- as.svrepdesign(D, type='JKn')
put('replicates', ncol(weights(B, 'analysis'))); put('degf', degf(B), degf(F), degf(J))
for (n in c('B', 'F', 'J')) {
  R <- get(n)
  put(n, t(svyquantile(~y, R, c(.25, .5, .9), ci=TRUE)$y))
  put(paste(n, 'hf7'), t(svyquantile(~y, R, c(.25, .9), ci=TRUE, qrule='hf7')$y))  # interval.type is ignored
  put(paste(n, 'school score'), t(svyquantile(~s, R, c(.3, .5), ci=TRUE, qrule='school')$s))
  put(paste(n, 'domain'), t(svyquantile(~y, subset(R, g == 1), .5, ci=TRUE)$y))
}
# R's 12 half samples (a Hadamard matrix of order 12): 1 where the second village of a stratum counts.
W <- weights(B, 'analysis'); first <- !duplicated(d$i)
put('halves', apply(1 * (W[first & d$i %% 2 == 1, ] > 0), 2, paste, collapse=''))
# The same weights handed over, of other kinds.
for (t in c('ACS', 'successive-difference', 'JK2')) {
  R <- svrepdesign(data=d, weights=~w, repweights=W, type=t, combined.weights=TRUE)
  m <- svymean(~y, R); put(t, coef(m), SE(m), degf(R))
}
R <- svrepdesign(data=d, weights=~w, repweights=W, type='bootstrap', combined.weights=TRUE)
put('bootstrap', SE(svymean(~y, R)), t(svyquantile(~y, R, .5, ci=TRUE)$y))
six <- svydesign(id=~i, weights=~w, data=subset(d, h < 3)); set.seed(1)
S <- as.svrepdesign(six, type='subbootstrap', replicates=300)
put('degf of 300 bootstrap replicates of 6 villages', degf(svrepdesign(weights=~w, repweights=weights(S, 'analysis'), data=subset(d, h < 3), type='bootstrap', combined.weights=TRUE)))
