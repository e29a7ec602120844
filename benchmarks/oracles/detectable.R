# Values of R for the smallest effects that tests of some size are likely to find: base R, by
# uniroot on the distributions, not by the formulas of lggshape where another way exists.
#
#   Rscript benchmarks/oracles/detectable.R
show <- function(name, ...) cat(sprintf("%-36s", name), sprintf("%.10g", c(...)), "\n")

noncentrality <- function(df, alpha, power = .8) {
  critical <- qchisq(alpha, df, lower.tail = FALSE)
  uniroot(function(l) pchisq(critical, df, l, lower.tail = FALSE) - power, c(.01, 100),
          tol = 1e-12)$root
}

show("V, 92 in 4 x 4, .005", sqrt(noncentrality(9, .005) / (92 * 3)))
show("V, 110 in 4 x 3, .005", sqrt(noncentrality(6, .005) / (110 * 2)))
show("epsilon squared, 30 30 30, .05", noncentrality(2, .05) / 89)
show("epsilon squared, 10 40, .01", noncentrality(1, .01) / 49)

# The variance of J without ties is that of a sum of independent Mann-Whitney statistics, each level
# against all before it.
somers <- function(sizes, alpha, power = .8) {
  before <- cumsum(sizes) - sizes
  variance <- sum(sizes * before * (sizes + before + 1) / 12)
  pairs <- sum(sizes * before)
  uniroot(function(d) pnorm(qnorm(alpha / 2) + d * pairs / 2 / sqrt(variance)) - power, c(0, 2),
          tol = 1e-12)$root
}
show("d, 20 20, .05", somers(c(20, 20), .05))
show("d, 15 30 12, .01", somers(c(15, 30, 12), .01))

# The power is the chance that the z of a sample lies beyond its critical value.
rho <- function(n, alpha, power = .8) {
  z <- uniroot(function(z) {
    error <- sqrt((1 + tanh(z)^2 / 2) / (n - 3))
    pnorm(qnorm(1 - alpha / 2) / sqrt(n - 3), z, error, lower.tail = FALSE) - power
  }, c(0, 5), tol = 1e-12)$root
  tanh(z)
}
show("rho, 30, .05", rho(30, .05))
show("rho, 100, .001", rho(100, .001))
