# The four tasks with R's survey.
suppressMessages(library(survey))
folder <- commandArgs(trailingOnly = TRUE)[1]
read <- function(name, kind) {
  path <- file.path(folder, paste0(name, if (kind == "integer") ".int" else ".num"))
  size <- file.size(path) / (if (kind == "integer") 4 else 8)
  readBin(path, kind, n = size, size = if (kind == "integer") 4 else 8)
}
memory <- function(field) {
  line <- grep(paste0("^", field, ":"), readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}
frame <- data.frame(lapply(
  c(stratum = "stratum", psu = "psu", m18 = "m18", m2 = "m2", m5 = "m5", m4 = "m4"),
  read, "integer"
))
frame$w <- read("w", "numeric")
for (i in 0:19) frame[[paste0("y", i)]] <- read(paste0("y", i), "numeric")
small <- data.frame(
  w = read("w_small", "numeric"), stratum = read("stratum_small", "integer"),
  psu = read("psu_small", "integer"), y = read("y_small", "numeric")
)
design <- function() svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = frame)
measured <- function(task) {
  invisible(gc())
  before <- memory("VmRSS")
  cat("5", file = "/proc/self/clear_refs")
  seconds <- system.time(found <- task())[["elapsed"]]
  numbers <- function(x) paste0("[", paste(format(as.vector(x), digits = 15), collapse = ","), "]")
  sprintf(
    '{"seconds": %.4f, "peak": %.1f, "est": %s, "se": %s}', seconds,
    max(memory("VmHWM") - before, 0), numbers(found$est), numbers(found$se)
  )
}
means <- function() {
  m <- svymean(reformulate(paste0("y", 0:19)), design())
  list(est = coef(m), se = SE(m))
}
domains <- function() {
  m <- svyby(~y0, ~m18, design(), svymean)
  list(est = coef(m), se = SE(m))
}
raking <- function() {
  margins <- c("m18", "m2", "m5", "m4")
  people <- lapply(margins, function(name) {
    counts <- read(paste0(name, "_people"), "numeric")
    setNames(data.frame(seq_along(counts) - 1L, counts), c(name, "Freq"))
  })
  raked <- rake(design(), lapply(margins, reformulate), people,
                control = list(maxit = 100, epsilon = 1e-6))
  list(est = weights(raked)[1:20], se = 0)
}
bootstrap <- function() {
  set.seed(1)
  d <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = small)
  m <- svymean(~y, as.svrepdesign(d, type = "subbootstrap", replicates = 500))
  list(est = coef(m), se = SE(m))
}
tasks <- list(a = means, b = domains, c = raking, d = bootstrap)
found <- vapply(names(tasks), function(name) sprintf('"%s": %s', name, measured(tasks[[name]])), "")
cat(sprintf('{%s, "version": {"name": "%s"}}\n', paste(found, collapse = ", "),
            as.character(packageVersion("survey"))))
