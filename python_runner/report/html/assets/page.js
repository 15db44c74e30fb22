// Theme, tables and scrolling boxes: what every page has.
(function () {
  "use strict";
  const root = document.documentElement;
  const spoken = document.getElementById("spoken");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  // Kept, and not asked again: a browser that was asked in between does not tell of the change.
  let systemIsDark = prefersDark.matches;

  window.polystack = {
    isDark: () => (root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark),
    say: (text) => {
      spoken.textContent = text;
    },
    data: JSON.parse(document.getElementById("page-data").textContent),
  };

  function themeChanged() {
    const button = document.getElementById("theme");
    button.setAttribute("aria-pressed", String(window.polystack.isDark()));
    document.dispatchEvent(new CustomEvent("polystack-theme"));
  }

  function setUpTheme() {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = window.polystack.isDark() ? "light" : "dark";
      try {
        window.localStorage.setItem("polystack-theme", root.dataset.theme);
      } catch (error) {
        // It is not remembered then.
      }
      themeChanged();
    });
    prefersDark.addEventListener("change", (event) => {
      systemIsDark = event.matches;
      if (!root.dataset.theme) themeChanged();
    });
    themeChanged();
  }

  function keyOf(row, column) {
    const cell = row.cells[column];
    const value = cell.dataset.value;
    return value === undefined ? null : Number(value);
  }

  function compare(first, second, column, direction) {
    const a = keyOf(first, column);
    const b = keyOf(second, column);
    if (a !== null && b !== null) return direction * (a - b);
    // What has no number stands last, whichever way.
    if (a !== null) return -1;
    if (b !== null) return 1;
    const words = (row) => row.cells[column].textContent.trim();
    return direction * words(first).localeCompare(words(second), "en", { numeric: true });
  }

  function sortBy(table, heading) {
    const column = heading.cellIndex;
    const goesUp = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", goesUp ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    rows.sort((a, b) => compare(a, b, column, goesUp ? 1 : -1));
    body.append(...rows);
    const name = heading.textContent.trim();
    window.polystack.say(`Sorted by ${name}, ${goesUp ? "ascending" : "descending"}`);
  }

  function setUpSorting() {
    for (const table of document.querySelectorAll(".table-box > table")) {
      if (table.tBodies[0].rows.length < 2) continue;
      for (const heading of table.tHead.rows[0].cells) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "sort";
        button.append(...heading.childNodes);
        heading.append(button);
        button.addEventListener("click", () => sortBy(table, heading));
      }
    }
  }

  // Only a box that scrolls is a stop for the keyboard.
  function setUpBoxes() {
    const watch = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        if (target.scrollWidth > target.clientWidth + 1) target.tabIndex = 0;
        else target.removeAttribute("tabindex");
      }
    });
    for (const box of document.querySelectorAll(".table-box, pre")) watch.observe(box);
  }

  // On paper nothing can be opened.
  function setUpPrinting() {
    let opened = [];
    window.addEventListener("beforeprint", () => {
      opened = Array.from(document.querySelectorAll("details:not([open])"));
      opened = opened.filter((one) => !one.classList.contains("numbers"));
      for (const one of opened) one.open = true;
    });
    window.addEventListener("afterprint", () => {
      for (const one of opened) one.open = false;
    });
  }

  setUpTheme();
  setUpSorting();
  setUpBoxes();
  setUpPrinting();
})();
