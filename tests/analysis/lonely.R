# Writes the expected values of test_lonely.py: cd tests/analysis; Rscript lonely.R
# R survey 4.1-1; one_village.csv has strata with one village.
suppressMessages(library(survey)); options(digits=15, warn=-1)
l <- read.csv('data/one_village.csv', stringsAsFactors=TRUE, na.strings='')
put <- function(k, est, se) cat(k, paste(format(as.vector(rbind(est, se)), digits=16), collapse=', '), '\n')
all <- function(k, D) {
  m <- svymean(~y, D, na.rm=TRUE); t <- svytotal(~y, D, na.rm=TRUE)
  r <- svyby(~y, ~age, D, svymean, na.rm=TRUE)
  put(k, c(coef(m), coef(t), r[,2]), c(SE(m), SE(t), r[,3]))
}
for (rule in c('adjust', 'average', 'certainty', 'remove')) {
  options(survey.lonely.psu=rule)
  for (fpc in c(FALSE, TRUE)) for (mse in c(FALSE, TRUE)) {
    D <- if (fpc) svydesign(id=~i, strata=~h, weights=~w, fpc=~N, data=l) else
      svydesign(id=~i, strata=~h, weights=~w, data=l)
    all(paste('jackknife', rule, fpc, mse), as.svrepdesign(D, type='JKn', mse=mse))
  }
}
# One person only in the first two villages: nothing varies there at the second stage.
two <- read.csv('data/two_stage.csv', stringsAsFactors=TRUE, na.strings='')
two$person <- paste(two$i, two$j)
two <- two[!(two$i %in% unique(two$i)[1:2]) | !duplicated(two$i), ]
for (rule in c('adjust', 'average', 'certainty', 'remove')) {
  options(survey.lonely.psu=rule)
  all(paste('second', rule), svydesign(id=~i+person, strata=~h, weights=~w, fpc=~N+M, data=two))
}
