// The command palette: a box to type into and a list to choose from, in a dialog. The server knows what may be found.
(() => {
  // Long enough that a name is not searched letter by letter: every search is recorded.
  const PAUSE = 220;
  let dialog, input, results, said, opener;
  let timer = 0;
  // Answers that come late, and Enter pressed before they do.
  let asked = 0;
  let waiting = false;
  let go = false;

  const options = () => [...results.querySelectorAll("[role=option]")];
  const chosen = () => results.querySelector("[aria-selected=true]");

  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    if (option) {
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    } else input.removeAttribute("aria-activedescendant");
  };

  const show = (markup) => {
    const page = new DOMParser().parseFromString(markup, "text/html");
    results.replaceChildren(...page.body.childNodes);
    said.textContent = results.querySelector("[data-said]")?.textContent || "";
    choose(options()[0]);
    results.scrollTop = 0;
  };

  const tell = (text) => {
    results.querySelector(".palette-said")?.remove();
    const note = document.createElement("p");
    note.className = "palette-said";
    note.textContent = said.textContent = text;
    results.append(note);
    note.scrollIntoView({ block: "nearest" });
  };

  const ask = async () => {
    clearTimeout(timer);
    const turn = ++asked;
    waiting = true;
    const here = window.location.pathname + window.location.search;
    const query = new URLSearchParams({ s: input.value.trim(), here });
    try {
      const response = await fetch(`${dialog.dataset.url}?${query}`, { credentials: "same-origin", cache: "no-store" });
      if (response.redirected) {
        window.location.reload();
        return;
      }
      if (!response.ok) throw new Error(String(response.status));
      const markup = await response.text();
      if (turn !== asked) return;
      waiting = false;
      show(markup);
      if (go) follow(chosen());
    } catch {
      if (turn !== asked) return;
      waiting = false;
      results.querySelector("[role=listbox]")?.replaceChildren();
      choose(null);
      tell(dialog.dataset.failed);
    }
    go = false;
  };

  const keep = async (option) => {
    const body = new FormData(dialog.querySelector("form"));
    body.set("address", option.dataset.keep);
    if ("drop" in option.dataset) body.set("drop", "1");
    const response = await fetch(dialog.dataset.keepUrl, { method: "POST", body, credentials: "same-origin" });
    if (response.status === 204) await ask();
    else tell(response.status === 409 ? await response.text() : dialog.dataset.failed);
    input.focus();
  };

  const follow = (option, aside) => {
    if (!option) return;
    if (option.dataset.keep) keep(option);
    else if (aside) window.open(option.href, "_blank", "noopener");
    else {
      dialog.close();
      if (option.hash === "#keys") window.camerino.openKeys();
      else window.location.assign(option.href);
    }
  };

  const open = (from) => {
    if (!dialog || dialog.open || document.querySelector("dialog[open]")) return;
    opener = from || document.activeElement;
    input.value = "";
    go = false;
    dialog.showModal();
    input.focus();
    ask();
  };

  const steps = { ArrowDown: 1, ArrowUp: -1 };
  const typed = (event) => {
    if (event.key in steps) {
      event.preventDefault();
      const all = options();
      const at = all.indexOf(chosen()) + steps[event.key];
      choose(all.at(at % all.length));
    } else if (event.key === "Home" || event.key === "End") {
      if (input.value) return;
      event.preventDefault();
      choose(options().at(event.key === "Home" ? 0 : -1));
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (timer || waiting) {
        go = true;
        if (timer) ask();
        timer = 0;
      } else follow(chosen(), event.ctrlKey || event.metaKey);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    dialog = document.getElementById("palette");
    if (!dialog) return;
    [input, results, said] = ["[role=combobox]", "[data-results]", "[role=status]"].map((at) => dialog.querySelector(at));
    input.addEventListener("input", () => {
      clearTimeout(timer);
      go = false;
      timer = setTimeout(() => { timer = 0; ask(); }, PAUSE);
    });
    input.addEventListener("keydown", typed);
    dialog.addEventListener("close", () => {
      clearTimeout(timer);
      timer = 0;
      asked += 1;
      // Names of patients do not stay on the page.
      results.querySelector("[role=listbox]")?.replaceChildren();
      results.querySelector(".palette-said")?.remove();
      said.textContent = "";
      choose(null);
      opener?.focus?.();
    });
    dialog.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (event.target === dialog || event.target.closest("[data-palette-close]")) dialog.close();
      else if (option?.dataset.keep) keep(option);
      else if (option && !(event.ctrlKey || event.metaKey || event.shiftKey || event.button)) {
        event.preventDefault();
        follow(option);
      }
    });
  });
  document.addEventListener("click", (event) => {
    const door = event.target.closest("[data-palette-open]");
    if (door) open(door);
  });
  // Before the theme and whoever else listens: Ctrl+K is the browser's own, in inputs too.
  window.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    if (!dialog) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (dialog.open) dialog.close();
    else open();
  }, { capture: true });

  (window.camerino ??= {}).openPalette = open;
})();
