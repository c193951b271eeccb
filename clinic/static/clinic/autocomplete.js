// Gives autocompletes the names of their labels: the library tells assistive technology only what is chosen in them.
(() => {
  const name = (root) => {
    root.querySelectorAll("select.select2-hidden-accessible").forEach((select) => {
      const label = select.labels[0];
      const box = select.nextElementSibling?.querySelector("[role=combobox]");
      if (!label || !box) return;
      label.id = label.id || `${select.id}-label`;
      const value = box.querySelector("[role=textbox]");
      value?.setAttribute("aria-labelledby", label.id);
      box.setAttribute("aria-labelledby", [label.id, value?.id].filter(Boolean).join(" "));
    });
  };

  window.addEventListener("load", () => {
    // Behind those who waited for jQuery to make autocompletes.
    if (window.django && window.django.jQuery) window.django.jQuery(() => name(document));
  });
  // Rows of inlines and dialogs come later; others dress them before it is our turn.
  document.addEventListener("formset:added", (event) => setTimeout(() => name(event.target)));
  document.addEventListener("dialog:shown", (event) => name(event.target));
})();
