# Writes the expected values of test_two_stage.py: cd tests/results; Rscript two_stage.R
# R survey 4.1-1. town A: 3 of 7 villages by their size; B: both villages, for certain; C: 2 of 5
# villages by their size and 1 for certain. w is the weight, r1 the rate of the first stage, r2 of
# the second, sure 1 in a village taken for certain. One village of B has one answer.
suppressMessages(library(survey)); options(digits=15, survey.lonely.psu='average')
d <- read.csv('two_stage.csv', colClasses=c(town='character', village='character'))
d$row <- seq_len(nrow(d)); sure <- d$sure == 1
d$h <- ifelse(sure, paste('psu', d$village), d$town)
d$i <- ifelse(sure, paste('row', d$row), d$village)
d$f1 <- ifelse(sure, d$r2, d$r1); d$f2 <- ifelse(sure, 1, d$r2)
s <- svydesign(~i + row, strata=~h, weights=~w, fpc=~f1 + f2, data=d)
m <- svymean(~y, s); cat('city', coef(m), SE(m), degf(s), '\n')
b <- svyby(~y, ~town, s, svymean); cat('town', rbind(b$y, SE(b)), '\n')
