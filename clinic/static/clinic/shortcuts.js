// Keys of the desk. What they do are links in the sheet of keys, which holds only what this person may do.
(() => {
  const OFF = "camerino.keys";
  // What the theme does with single keys on its own; "c" would add a record in the middle of "g c".
  const THEMES_OWN = ["[", "f"];
  const THEMES_OTHER = ["c", "/", "?"];
  const PAUSE = 1500;
  const EDITABLE = "input, textarea, select, [contenteditable=true], .select2-container, [role=combobox], [role=listbox], [role=textbox]";
  let began = "";
  let timer = 0;

  const sheet = () => document.getElementById("keys");
  const isOff = () => {
    try {
      return localStorage.getItem(OFF) === "off";
    } catch {
      return false;
    }
  };
  const open = () => {
    const dialog = sheet();
    if (!dialog || document.querySelector("dialog[open]")) return;
    dialog.querySelector("[data-keys-on]").checked = !isOff();
    dialog.showModal();
  };
  const search = () => {
    const box = document.getElementById("searchbar");
    if (box?.offsetParent) {
      box.focus();
      box.select();
    } else window.camerino?.openPalette?.();
  };
  const forget = () => {
    clearTimeout(timer);
    began = "";
  };

  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.key.length !== 1) return;
    // A dialog that has just closed holds the focus until the next frame, though nobody types there any more.
    if (event.target.closest?.(EDITABLE)?.getClientRects().length) return;
    const key = event.key.toLowerCase();
    const silent = isOff() || document.querySelector("dialog[open]");
    if (silent || THEMES_OTHER.includes(key)) {
      // Nobody else's single keys either: the theme's cannot be switched off.
      if (THEMES_OWN.includes(key) || THEMES_OTHER.includes(key)) event.stopImmediatePropagation();
      if (silent) return;
    }
    const keys = [began, key].filter(Boolean).join(" ");
    forget();
    const link = document.querySelector(`#keys [data-keys="${CSS.escape(keys)}"]`);
    if (link) {
      event.preventDefault();
      window.location.assign(link.href);
    } else if (key === "g") {
      began = key;
      timer = setTimeout(forget, PAUSE);
    } else if (keys === "?") {
      event.preventDefault();
      open();
    } else if (keys === "/") {
      event.preventDefault();
      search();
    }
  }, { capture: true });

  document.addEventListener("click", (event) => {
    const dialog = sheet();
    if (!dialog) return;
    if (event.target.closest('a[href="#keys"]')) {
      event.preventDefault();
      open();
    } else if (event.target === dialog || event.target.closest("[data-keys-close]")) dialog.close();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-keys-on]")) return;
    try {
      if (event.target.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "off");
    } catch {
      // A browser that keeps nothing keeps its keys.
      event.target.checked = true;
    }
  });

  (window.camerino ??= {}).openKeys = open;
})();
