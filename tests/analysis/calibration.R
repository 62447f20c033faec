# Writes expected values of test_calibration.py: cd tests/analysis; Rscript calibration.R
# R survey 4.1-1.  Calibration to a total of 0: numbers centred at their population mean.
suppressMessages(library(survey)); data(api); options(digits=15, warn=-1)
apistrat$c <- apistrat$api99 - 631.913
D <- svydesign(id=~1, strata=~stype, weights=~pw, fpc=~fpc, data=apistrat)
for (f in c('linear', 'raking')) {
  C <- calibrate(D, ~c, c(`(Intercept)`=6194, c=0), calfun=f, epsilon=1e-9, maxit=200)
  m <- svymean(~api00, C); t <- svytotal(~enroll, C); cat(f, format(c(coef(m), SE(m), coef(t), SE(t)), digits=15), '\n')
}
C <- calibrate(D, ~c, c(`(Intercept)`=6194, c=0), calfun='logit', bounds=c(.7, 1.4), epsilon=1e-9, maxit=200)
m <- svymean(~api00, C); cat('logit', format(c(coef(m), SE(m)), digits=15), '\n')
