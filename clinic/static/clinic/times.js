// Fetches the free times again whenever what they depend on changes. Without this script a button asks for them.
(() => {
  const asked = ["service", "practitioner", "location", "patient", "on", "part"];
  let latest = 0;

  // A start that was typed (or brought by a click into the calendar) and is free is that free time.
  const adopt = (form, box) => {
    const { starts, ends } = form.elements;
    if (!starts?.value || ends?.value || box.querySelectorAll(".desk-times-person").length !== 1) return;
    const label = [...box.querySelectorAll(".desk-time-choice")].find((time) => time.textContent.trim() === starts.value);
    if (!label) return;
    label.querySelector("input").checked = true;
    starts.value = "";
  };

  // A time is picked or typed; what was typed would win without a word.
  const onlyOne = (target) => {
    const { starts, ends } = target.form.elements;
    if (target.name === "slot") {
      if (starts) starts.value = "";
      if (ends) ends.value = "";
    } else if (["starts", "ends"].includes(target.name) && target.value) {
      target.form.querySelectorAll("input[name=slot]:checked").forEach((radio) => { radio.checked = false; });
    }
  };

  const refresh = async (form) => {
    const box = form.querySelector("#times");
    if (!box) return;
    const query = new URLSearchParams({ exclude: box.dataset.exclude || "" });
    for (const name of asked) {
      const fixed = box.getAttribute(`data-fixed-${name}`);
      const field = form.elements[name];
      query.set(name, fixed !== null ? fixed : (field && field.value) || "");
    }
    const picked = form.querySelector("input[name=slot]:checked");
    if (picked) query.set("slot", picked.value);
    const turn = ++latest;
    box.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(`${box.dataset.url}?${query}`, { credentials: "same-origin" });
      if (!response.ok || response.redirected) throw new Error("no times");
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("#times");
      // An older answer must not replace a newer one.
      if (turn !== latest || !fresh) return;
      for (const { name, value } of box.attributes) if (name.startsWith("data-fixed-")) fresh.setAttribute(name, value);
      // What was picked while we were asking.
      const late = box.querySelector("input[name=slot]:checked");
      const same = late && fresh.querySelector(`input[name=slot][value="${CSS.escape(late.value)}"]`);
      if (same) same.checked = true;
      adopt(form, fresh);
      box.replaceWith(fresh);
    } catch {
      // Signed out, or no connection: old times must not pass for free ones.
      const note = document.createElement("p");
      note.setAttribute("role", "alert");
      note.textContent = box.dataset.failed;
      box.replaceChildren(note);
    } finally {
      box.removeAttribute("aria-busy");
    }
  };

  const changed = (target) => {
    const form = target.form;
    if (form && form.querySelector("#times")) onlyOne(target);
    if (form && asked.includes(target.name) && form.querySelector("#times")) refresh(form);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("#times [data-day]");
    if (!button) return;
    const form = button.closest("form");
    form.elements.on.value = button.dataset.day;
    refresh(form);
  });
  document.addEventListener("change", (event) => changed(event.target));
  document.addEventListener("DOMContentLoaded", () => {
    // Select2 tells jQuery only.
    const jquery = window.django && window.django.jQuery;
    if (jquery) jquery(document).on("select2:select select2:clear", "select", (event) => changed(event.target));
  });
})();
