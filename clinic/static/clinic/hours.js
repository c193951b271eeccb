// Hours of Monday for the days that are mostly the same: a button per location, shown only where it works.
(() => {
  for (const button of document.querySelectorAll("[data-as-monday]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const [monday, ...others] = button.closest("[data-place]").querySelectorAll("textarea");
      for (const day of others.slice(0, 4)) day.value = monday.value;
      monday.focus();
    });
  }
})();
