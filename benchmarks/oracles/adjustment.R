# Values of R for tests given covariates: lm on ranks, and coxph with strata (survival).
#
#   Rscript benchmarks/oracles/adjustment.R
library(survival)

x <- c(2.1, 3.4, 1.9, 4.4, 5.0, 3.3, 6.1, 4.9, 7.2, 2.6, 5.8, 6.6, 4.1, 3.9, 5.5, 2.9, 6.0, 4.7, 3.0, 5.1)
age <- c(61, 35, 48, 52, 70, 44, 66, 58, 41, 39, 73, 55, 48, 62, 50, 35, 57, 64, 47, 69)
grade <- c(1, 0, 0, 1, 2, 0, 2, 1, 2, 0, 1, 2, 1, 0, 2, 1, 1, 0, 0, 2)
number <- c(12, 30, 25, 18, 9, 28, 14, 20, 8, 33, 11, 16, 21, 19, 13, 27, 10, 22, 31, 15)
site <- factor(c("A", "A", "B", "B", "A", "C", "B", "A", "C", "A", "B", "C", "A", "B", "C", "C", "A", "B", "A", "C"))
time <- c(5, 14, 9, 30, 22, 3, 17, 26, 8, 12, 9, 21, 16, 7, 19, 25, 11, 6, 28, 13)
event <- c(1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1)

show <- function(name, ...) cat(sprintf("%-44s", name), sprintf("%.10g", c(...)), "\n")
scores <- function(v) qnorm(rank(v) / (length(v) + 1))
y <- rank(x)
partial <- function(name, small, large) {
  a <- anova(small, large)
  show(name, a$F[2], a$Df[2], a$Res.Df[2], 1 - a$RSS[2] / a$RSS[1])
}
correlation <- function(name, v, small, columns) {
  r <- cor(resid(small), lm.fit(model.matrix(small), rank(v))$residuals)
  reach <- qnorm(.975) * sqrt((1 + r^2 / 2) / (length(v) - columns - 3))
  show(name, r, tanh(atanh(r) - reach), tanh(atanh(r) + reach))
}
given <- lm(y ~ rank(age) + scores(age) + site)
partial("groups: F, df, df, partial R2", given, update(given, . ~ . + factor(grade)))
partial("ordinal: F, df, df, partial R2", given, update(given, . ~ . + rank(grade)))
partial("number: F, df, df, partial R2", given, update(given, . ~ . + rank(number)))
correlation("ordinal: partial correlation, interval", grade, given, 4)
correlation("number: partial correlation, interval", number, given, 4)
partial("number x site: F, df, df, partial R2", lm(y ~ rank(age) + scores(age) + site + rank(number)), lm(y ~ rank(age) + scores(age) + site * rank(number)))
show("variance inflation", 1 / (1 - summary(given)$r.squared))

z <- (x - mean(x)) / sd(x)
cox <- function(name, fit) {
  whole <- summary(fit)
  show(name, fit$loglik[2], whole$conf.int[1, c(1, 3, 4)], whole$coefficients[1, 5])
}
within <- coxph(Surv(time, event) ~ z + scores(age) + strata(site), ties = "efron")
cox("Cox within site: ll, ratio, interval, p", within)
show("Cox within site: p, proportional", cox.zph(within, transform = "km")$table[1:2, "p"])
without <- coxph(Surv(time, event) ~ scores(age) + strata(site), ties = "efron")
show("Cox within site: p of the ratio", pchisq(2 * (within$loglik[2] - without$loglik[2]), 1, lower = FALSE))
cox("Cox given age and site: ll, ratio, interval, p", coxph(Surv(time, event) ~ z + scores(age) + site, ties = "efron"))
product <- coxph(Surv(time, event) ~ z * site - site + scores(age) + strata(site), ties = "efron")
show("Cox x site: LR, p", 2 * (product$loglik[2] - within$loglik[2]), pchisq(2 * (product$loglik[2] - within$loglik[2]), 2, lower = FALSE))
