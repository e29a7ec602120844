
// Sorting, filtering and saving of long tables, by the library that lies in this page as text.
const source = document.getElementById("tables-library");
let library;
const load = () => (library ??= import(
  URL.createObjectURL(new Blob([source.textContent], { type: "text/javascript" }))
));
const save = (text, filename, options) => ({
  extend: "csv", text, filename,
  // The second row of the header is that of the filters.
  exportOptions: { customizeData: (data) => { data.headerStructure.length = 1; }, ...options },
});
const exclude = save("Save the marked as exclusions.csv", "exclusions", {
  columns: ".kept",
  modifier: { selected: true },
  format: { body: (cell, row, column, node) => node.textContent || "marked in the report" },
});
const enhance = async (table) => {
  const { default: DataTable } = await load();
  const marks = "marks" in table.dataset;
  const place = [...document.querySelectorAll("table")].indexOf(table) + 1;
  const name = document.getElementById(table.getAttribute("aria-labelledby"))?.textContent;
  const label = `table ${place}: ${name ?? table.getAttribute("aria-label")}`;
  const made = new DataTable(table, {
    autoWidth: false,
    order: [],
    orderCellsTop: true,
    columnControl: { target: 1, content: [{ extend: "search", titleAttr: "Filter [title]" }] },
    ...(marks && {
      select: { style: "multi", selector: "td:first-child", headerCheckbox: false },
      columnDefs: [
        { targets: "plain", orderable: false, columnControl: { target: 1, content: [] } },
        { targets: 0, render: DataTable.render.select() },
      ],
    }),
    pageLength: 12,
    lengthMenu: [12, 50, { label: "all", value: -1 }],
    layout: {
      topStart: { buttons: [save("Save as CSV", table.dataset.name), ...(marks ? [exclude] : [])] },
      bottomStart: ["pageLength", "info"],
    },
    drawCallback() {
      const pages = this.api().table().container().querySelector("nav");
      pages?.setAttribute("aria-label", `Pages of ${label}`);
    },
    language: { search: "Filter", lengthMenu: "_MENU_ rows", info: "_START_ to _END_ of _TOTAL_" },
  });
  made.ready(() => {
    for (const search of table.querySelectorAll(".dtcc-search")) {
      const input = search.querySelector("input");
      input.setAttribute("aria-label", input.title);
      search.querySelector("select").setAttribute("aria-label", `${input.title}: how to compare`);
    }
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
