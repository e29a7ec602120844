
// Sorting, filtering and saving of long tables, by the library that lies in this page as text.
const source = document.getElementById("tables-library");
let library;
const load = () => (library ??= import(
  URL.createObjectURL(new Blob([source.textContent], { type: "text/javascript" }))
));
const enhance = async (table) => {
  const { default: DataTable } = await load();
  const made = new DataTable(table, {
    autoWidth: false,
    order: [],
    pageLength: 12,
    lengthMenu: [12, 50, { label: "all", value: -1 }],
    layout: {
      topStart: { buttons: [{ extend: "csv", text: "Save as CSV", filename: table.dataset.name }] },
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

// The contents close when one of them is chosen.
const contents = document.getElementById("contents");
contents.addEventListener("click", () => {
  if (contents.matches(":popover-open")) contents.hidePopover();
});
