# Writes the expected values of test_joint.py: cd tests/analysis; Rscript joint.R
# R survey 4.1-1.  Joint probabilities by listing all samples of 4 out of 7: P(s) is proportional to
# the product of p/(1 - p) over s times the sum of p outside (Sampford 1967).
suppressMessages(library(survey)); options(digits=16, warn=-1)
put <- function(k, ...) cat(k, paste(format(c(...), digits=16), collapse=', '), '\n')
size <- c(5, 9, 14, 20, 23, 29, 30); p <- 4 * size / sum(size)
samples <- combn(7, 4)
chance <- apply(samples, 2, function(s) prod(p[s] / (1 - p[s])) * sum(p[-s])); chance <- chance / sum(chance)
joint <- matrix(0, 7, 7)
for (k in seq_along(chance)) joint[samples[, k], samples[, k]] <- joint[samples[, k], samples[, k]] + chance[k]
put('joint', joint[upper.tri(joint)])
rows <- c(2, 4, 6, 7)
d <- data.frame(p=p[rows], y=c(12, 31, 40, 52), g=c(1, 0, 1, 1))
for (v in c('YG', 'HT')) {
  D <- svydesign(id=~1, fpc=~p, data=d, pps=ppsmat(joint[rows, rows]), variance=v)
  t <- svytotal(~y, D); m <- svymean(~y, D); put(v, coef(t), SE(t), coef(m), SE(m))
  S <- subset(D, g == 1); t <- svytotal(~y, S); m <- svymean(~y, S); put(paste(v, 'domain'), coef(t), SE(t), coef(m), SE(m))
}
put('degf', degf(D))
