# R's values for reports/ucsf, from the two files as they were downloaded: base R and survival.
#
#   Rscript benchmarks/oracles/ucsf.R FEATURES.csv METADATA.csv > reports/ucsf/oracle.csv
#   Rscript benchmarks/oracles/ucsf.R FEATURES.csv METADATA.csv populations \
#     > reports/ucsf/oracle_populations.csv
#
# The second leaves out the patients that the sensitivity analyses of the protocol leave out.
# The permutation tests given covariates have no counterpart in base R. Beside them stands the
# partial F test of the same design by lm(), whose p they approach when residuals are normal.
suppressPackageStartupMessages(library(survival))
files <- commandArgs(trailingOnly = TRUE)
features <- read.csv(files[1], check.names = FALSE)
metadata <- read.csv(files[2], check.names = FALSE)
everyone <- merge(features, metadata, by = "ID")

use <- function(kept) {
  patients <<- everyone[kept, ]
  volume <<- patients[["original_shape_VoxelVolume"]]
  age <<- patients[["Age at MRI"]]
  grade <<- patients[["WHO CNS Grade"]]
  low <<- grade < 4
  wild <<- as.integer(patients[["IDH"]] == "wildtype")
  arms <- tolower(patients[["1p/19q"]])
  codel <<- ifelse(arms == "", NA, as.integer(grepl("co-deletion", arms)))
}

analysis <- ""
show <- function(feature, label, what, value) {
  cat(sprintf("%s%s,%s,%s,%.12g\n", analysis, feature, label, what, value))
}

jonckheere <- function(x, g) {
  score <- 0
  for (i in seq_along(x)) {
    later <- g > g[i]
    score <- score + sum(x[later] > x[i]) + sum(x[later] == x[i]) / 2
  }
  n <- length(x); t <- as.vector(table(x)); u <- as.vector(table(g))
  if (length(u) == 2 && n <= 100 && all(t == 1)) {
    return(wilcox.test(x[g == max(g)], x[g == min(g)], exact = TRUE)$p.value)
  }
  a <- function(k) k * (k - 1)
  b <- function(k) a(k) * (k - 2)
  variance <- (a(n) * (2 * n + 5) - sum(a(t) * (2 * t + 5)) - sum(a(u) * (2 * u + 5))) / 72 +
    sum(b(t)) * sum(b(u)) / (36 * b(n)) + sum(a(t)) * sum(a(u)) / (8 * a(n))
  2 * pnorm(-abs((score - (n^2 - sum(u^2)) / 4) / sqrt(variance)))
}

scores <- function(x) qnorm(rank(x) / (length(x) + 1))

groups <- function(name, title, g, kept) {
  x <- patients[[paste0("original_shape_", toupper(substr(name, 1, 1)), substring(name, 2))]]
  kept <- kept & !is.na(g)
  x <- x[kept]; g <- g[kept]; v <- volume[kept]; a <- age[kept]
  show(name, title, "n", length(x))
  show(name, title, "jonckheere_terpstra", jonckheere(x, g))
  quartile <- cut(x, c(-Inf, quantile(x, 1:3 / 4), Inf))
  show(name, title, "fisher_exact", fisher.test(table(quartile, g), workspace = 2e8)$p.value)
  show(name, title, "kruskal_wallis", kruskal.test(x, factor(g))$p.value)
  rho <- suppressWarnings(cor.test(x, g, method = "spearman", exact = FALSE))
  show(name, title, "spearman", rho$p.value)
  show(name, title, "rho", rho$estimate)
  other <- cbind(rank(v), scores(v), rank(a), scores(a))
  fit <- anova(lm(rank(x) ~ other), lm(rank(x) ~ other + rank(g)))
  show(name, title, "partial_f", fit[2, "F"])
  show(name, title, "partial_f_p", fit[2, "Pr(>F)"])
  rho <- cor(resid(lm(rank(x) ~ other)), resid(lm(rank(g) ~ other)))
  show(name, title, "partial_rho", rho)
}

survive <- function(name, title, kept) {
  time <- patients[["OS"]]; event <- patients[["1-dead 0-alive"]]
  kept <- kept & !is.na(time) & !is.na(event)
  x <- patients[["original_shape_Sphericity"]][kept]
  z <- (x - mean(x)) / sd(x)
  s <- Surv(time[kept], event[kept])
  for (model in c("cox", "adjusted_cox")) {
    fit <- if (model == "cox") coxph(s ~ z, ties = "efron") else
      coxph(s ~ z + scores(volume[kept]) + scores(age[kept]), ties = "efron")
    whole <- summary(fit)
    show(name, title, paste0(model, "_p"), whole$coefficients[1, 5])
    show(name, title, paste0(model, "_ratio"), whole$conf.int[1, 1])
    show(name, title, paste0(model, "_low"), whole$conf.int[1, 3])
    show(name, title, paste0(model, "_high"), whole$conf.int[1, 4])
    show(name, title, paste0(model, "_proportional"), cox.zph(fit, transform = "km")$table[1, "p"])
    if (model == "cox") show(name, title, "cox_likelihood_ratio", whole$logtest["pvalue"])
  }
}

codeletion <- function() {
  groups("sphericity", "1p/19q of IDH mutants in grade 2 and 3", codel, low & wild == 0)
}

hypotheses <- function() {
  for (name in c("sphericity", "elongation", "flatness")) {
    groups(name, "IDH in grade 2 and 3", wild, low)
    groups(name, "IDH in grade 4", wild, !low)
  }
  codeletion()
  groups("sphericity", "grade", grade, TRUE)
  survive("sphericity", "overall survival", TRUE)
  survive("sphericity", "overall survival in glioblastoma", !low & wild == 1)
}

if (length(files) == 2) {
  cat("feature,label,what,value\n")
  use(TRUE)
  hypotheses()
} else {
  cat("analysis,feature,label,what,value\n")
  analysis <- "without biopsy before imaging,"
  use(everyone[["Biopsy prior to imaging"]] == "No")
  hypotheses()
  analysis <- "without mutated (NOS),"
  use(everyone[["IDH"]] != "mutated (NOS)")
  hypotheses()
  analysis <- "without relative co-deletion,"
  use(everyone[["1p/19q"]] != "relative co-deletion")
  codeletion()
}
