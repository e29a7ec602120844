# Exact p-values by R. Input: a table a line, as "rows columns counts by row"; output: a p a line.
arguments <- commandArgs(trailingOnly = TRUE)
for (line in readLines(arguments[1])) {
  numbers <- as.integer(strsplit(line, " ")[[1]])
  table <- matrix(numbers[-(1:2)], numbers[1], numbers[2], byrow = TRUE)
  cat(sprintf("%.17g\n", fisher.test(table, workspace = 2e8)$p.value))
}
