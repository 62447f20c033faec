# Writes the expected values of test_later_strata.py: cd tests/analysis; Rscript later_strata.R
# R survey 4.1-1. Made up: 3 strata of 3 to 4 villages, 2 strata (old and new part) inside each
# village, 2 to 3 households in each, 2 persons in each household.
suppressMessages(library(survey)); options(digits=15, warn=-1)
rows <- list()
for (h in 0:2) for (i in 0:(2 + h %% 2)) for (p in 0:1) for (j in 0:(1 + (i + p) %% 2)) for (k in 0:1) {
  house <- 10 * p + j
  rows[[length(rows) + 1]] <- data.frame(
    h=h, i=10 * h + i, p=p, house=100 * (10 * h + i) + house, k=k, N=9 + 2 * h, M=8 + 3 * p + i, K=3,
    w=1 + (7 * h + 3 * i + 5 * p + j) %% 6 / 4,
    y=(37 * h + 61 * i + 17 * p + 29 * j + 43 * k + 11 * i * p) %% 50, g=(i + j + k) %% 3)
}
d <- do.call(rbind, rows); d$person <- 10 * d$house + d$k; d$ones <- 1
put <- function(k, est, se) cat(k, paste(format(as.vector(rbind(est, se)), digits=16), collapse=', '), '\n')
all <- function(k, D) {
  m <- svymean(~y, D); t <- svytotal(~y, D); r <- svyby(~y, ~g, D, svymean)
  put(k, c(coef(m), coef(t), r[,2]), c(SE(m), SE(t), r[,3]))
}
all('two', svydesign(id=~i+house, strata=~h+p, weights=~w, fpc=~N+M, data=d))
all('three', svydesign(id=~i+house+person, strata=~h+p+ones, weights=~w, fpc=~N+M+K, data=d, nest=TRUE))
all('unstratified', svydesign(id=~i+house, strata=~h, weights=~w, fpc=~N+I(2*N), data=d))
