
// Sorting, filtering and saving of long tables, by the library that lies in this page as text.
const source = document.getElementById("tables-library");
let library;
const load = () => (library ??= import(
  URL.createObjectURL(new Blob([source.textContent], { type: "text/javascript" }))
));
const save = (text, filename, exportOptions) => ({ extend: "csv", text, filename, exportOptions });
const exclude = save("Save the marked as exclusions.csv", "exclusions", {
  columns: ".kept",
  modifier: { selected: true },
  format: { body: (cell, row, column, node) => node.textContent || "marked in the report" },
});
const enhance = async (table) => {
  const { default: DataTable } = await load();
  const marks = "marks" in table.dataset;
  const made = new DataTable(table, {
    autoWidth: false,
    order: [],
    ...(marks && {
      select: { style: "multi", selector: "td:first-child", headerCheckbox: false },
      columnDefs: [{ targets: 0, orderable: false, render: DataTable.render.select() }],
    }),
    pageLength: 12,
    lengthMenu: [12, 50, { label: "all", value: -1 }],
    layout: {
      topStart: { buttons: [save("Save as CSV", table.dataset.name), ...(marks ? [exclude] : [])] },
      bottomStart: ["pageLength", "info"],
    },
    drawCallback() {
      const pages = this.api().table().container().querySelector("nav");
      pages?.setAttribute("aria-labelledby", table.getAttribute("aria-labelledby"));
    },
    language: { search: "Filter", lengthMenu: "_MENU_ rows", info: "_START_ to _END_ of _TOTAL_" },
  });
  addEventListener("beforeprint", () => made.page.len(-1).draw());
};
for (const table of document.querySelectorAll("table[data-rows]")) {
  const fold = table.closest("details:not([open])");
  if (fold) fold.addEventListener("toggle", () => enhance(table), { once: true });
  else enhance(table);
}

// A patient is found by name.
const find = document.getElementById("find");
find?.closest("p").removeAttribute("hidden");
find?.addEventListener("change", () => {
  const named = [...find.list.options].find((option) => option.value === find.value);
  if (named) location.hash = named.dataset.anchor;
});

// The patient whose panel is open is marked in all figures.
const mark = () => {
  for (const link of document.querySelectorAll("a.marked")) link.classList.remove("marked");
  if (!location.hash.startsWith("#patient-")) return;
  const links = document.querySelectorAll(`.drawing a[href="${location.hash}"]`);
  for (const link of links) link.classList.add("marked");
};
addEventListener("hashchange", mark);
mark();

// Text is copied by its button.
for (const button of document.querySelectorAll("[data-copy]")) {
  const text = button.parentElement.nextElementSibling.textContent;
  button.parentElement.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  });
}

// The contents close when one of them is chosen.
const contents = document.getElementById("contents");
contents.addEventListener("click", () => {
  if (contents.matches(":popover-open")) contents.hidePopover();
});
