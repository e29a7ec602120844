# Values of R for the tests of every kind of label: base R and the survival package.
# JonckheereTerpstra is written out: the statistic, and its variance with both kinds of ties
# (Hollander, Wolfe and Chicken, Nonparametric statistical methods, 3rd ed., section 6.2), and the
# exact p by counting all arrangements of the values.
#
#   Rscript benchmarks/oracles/kinds_of_label.R
library(survival)

values <- c(2.1, 3.4, 1.9, 4.4, 5.0, 3.3, 6.1, 4.9, 7.2, 2.6, 5.8, 6.6)
levels <- c(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2)
tied <- c(2, 3, 2, 4, 5, 3, 6, 5, 7, 3, 6, 7)
numbers <- c(61, 35, 48, 52, 70, 44, 66, 58, 41, 39, 73, 55)
tied_numbers <- c(60, 40, 50, 50, 70, 40, 70, 60, 40, 40, 70, 60)
time <- c(5, 14, 9, 30, 22, 3, 17, 26, 8, 12, 9, 21)
event <- c(1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0)

show <- function(name, ...) cat(sprintf("%-36s", name), sprintf("%.10g", c(...)), "\n")

score <- function(x, g) {
  total <- 0
  for (i in seq_along(x)) for (j in seq_along(x)) if (g[i] < g[j]) {
    total <- total + (x[i] < x[j]) + (x[i] == x[j]) / 2
  }
  total
}

jonckheere <- function(x, g) {
  n <- length(x)
  t <- as.vector(table(x))
  u <- as.vector(table(g))
  a <- function(k) k * (k - 1)
  b <- function(k) a(k) * (k - 2)
  variance <- (a(n) * (2 * n + 5) - sum(a(t) * (2 * t + 5)) - sum(a(u) * (2 * u + 5))) / 72 +
    sum(b(t)) * sum(b(u)) / (36 * b(n)) + sum(a(t)) * sum(a(u)) / (8 * a(n))
  z <- (score(x, g) - (n^2 - sum(u^2)) / 4) / sqrt(variance)
  c(score(x, g), z, 2 * pnorm(-abs(z)))
}

arrangements <- function(counts) {
  if (sum(counts) == 0) return(matrix(numeric(0), 1, 0))
  do.call(rbind, lapply(which(counts > 0), function(level) {
    less <- counts
    less[level] <- less[level] - 1
    rest <- arrangements(less)
    cbind(rep(level, nrow(rest)), rest)
  }))
}

exact <- function(x, g) {
  all <- arrangements(as.vector(table(g)))
  scores <- apply(all, 1, function(one) score(sort(x), one))
  observed <- score(x, g)
  min(1, 2 * min(mean(scores >= observed), mean(scores <= observed)))
}

show("Jonckheere: J, z, p (normal)", jonckheere(values, levels))
show("Jonckheere, tied: J, z, p (normal)", jonckheere(tied, levels))
show("Jonckheere, nine values: exact p", exact(values[1:9], levels[1:9]))
kendall <- suppressWarnings(cor.test(tied, levels, method = "kendall", exact = FALSE))
show("Kendall's test, tied: z, p", kendall$statistic, kendall$p.value)
two <- wilcox.test(values[9:12], values[1:8], exact = TRUE)
show("Wilcoxon, exact: W, p", two$statistic, two$p.value)

for (x in list(values, tied)) for (y in list(numbers, tied_numbers)) {
  found <- suppressWarnings(cor.test(x, y, method = "spearman", exact = FALSE))
  show("Spearman: rho, p", found$estimate, found$p.value)
}

for (x in list(values, tied)) {
  z <- (x - mean(x)) / sd(x)
  fit <- coxph(Surv(time, event) ~ z, ties = "efron")
  whole <- summary(fit)
  show("Cox: z, p, p of the ratio", whole$coefficients[4:5], whole$logtest["pvalue"])
  show("Cox: hazard ratio, interval", whole$conf.int[c(1, 3, 4)])
}
curve <- summary(survfit(Surv(time, event) ~ 1))
show("Kaplan-Meier: times", curve$time)
show("Kaplan-Meier: shares", curve$surv)
groups <- rep(c("a", "b", "c"), each = 4)
show("Kruskal-Wallis: H, p", kruskal.test(values, factor(groups))$statistic, kruskal.test(values, factor(groups))$p.value)
quartile <- cut(values, c(-Inf, quantile(values, 1:3 / 4), Inf))
show("Fisher on quartiles: p", fisher.test(table(quartile, groups))$p.value)
