// The side panel: pages of the desk (a visit, the booking form, a new patient) without leaving the calendar.
// Everything in it is the page's own form; without the panel the same link opens the page.
(() => {
  const camerino = (window.camerino ??= {});

  const parse = async (response) => new DOMParser().parseFromString(await response.text(), "text/html");

  // The theme's directives are meant for its own page; here the form is shown whole and posts to its own address.
  const extract = (page, address) => {
    const content = page.querySelector("#content-main, #record-action");
    if (!content) return null;
    for (const element of [content, ...content.querySelectorAll("*")]) {
      for (const { name } of [...element.attributes]) {
        if (name.startsWith("x-") || name.startsWith(":") || name.startsWith("@")) element.removeAttribute(name);
      }
    }
    for (const form of content.querySelectorAll("form")) form.action = form.getAttribute("action") || address;
    content.querySelectorAll("script").forEach((script) => script.remove());
    // The page has its buttons at its own end, tied to the form by name.
    const save = page.querySelector("button[name=_save][form]");
    if (save) {
      const row = document.createElement("div");
      row.className = "calendar-save";
      save.className = "desk-book";
      row.append(save);
      content.append(row);
    }
    return content;
  };

  // `done(kind, id, said)` after something was saved; `ready(content, what)` dresses what has come.
  camerino.panel = ({ panel, texts, done, ready, closed }) => {
    const body = panel.querySelector("[data-panel-body]");
    const title = panel.querySelector("#calendar-panel-title");
    const back = panel.querySelector("[data-panel-back]");
    const page = panel.querySelector("[data-panel-page]");
    // What lies under what is shown: a half-filled booking, while a patient is registered.
    const below = [];
    let what = null;
    let opener = null;

    const dress = (content) => {
      const jquery = window.django?.jQuery;
      if (jquery?.fn.djangoAdminSelect2) jquery(content).find("select.admin-autocomplete").djangoAdminSelect2();
      content.dispatchEvent(new Event("dialog:shown", { bubbles: true }));
    };

    const focus = (content) => {
      const broken = content.querySelector("[role=alert], .errorlist");
      const first = [...content.querySelectorAll("input:not([type=hidden]), select, textarea, .select2-selection")].find(
        (field) => field.offsetParent && field.tabIndex >= 0 && !field.closest(".desk-hidden"),
      );
      if (broken) {
        broken.setAttribute("tabindex", "-1");
        broken.focus();
        broken.scrollIntoView({ block: "nearest" });
      } else if (what.fills && first) first.focus();
      else title.focus();
    };

    const show = (content) => {
      title.textContent = what.title;
      back.hidden = !below.length;
      page.hidden = !what.page;
      if (what.page) page.href = what.page;
      body.replaceChildren(content);
      panel.hidden = false;
      document.documentElement.classList.add("calendar-panel-open");
      dress(content);
      ready(content, what);
      focus(content);
    };

    const close = () => {
      below.length = 0;
      what = null;
      panel.hidden = true;
      body.replaceChildren();
      document.documentElement.classList.remove("calendar-panel-open");
      closed();
      if (opener?.isConnected) opener.focus();
    };

    // Returns whether it could be shown; if not, the page itself opens.
    const open = async (next, { over = false, from = null } = {}) => {
      if (!over) {
        below.length = 0;
        opener = from;
      }
      try {
        const response = await fetch(next.address, { credentials: "same-origin" });
        const content = response.ok && !response.redirected && extract(await parse(response), next.address);
        if (!content) throw new Error("no form");
        if (over && what) below.push({ what, content: body.firstElementChild });
        what = next;
        show(content);
      } catch {
        window.location.assign(next.address);
      }
    };

    const under = () => {
      const last = below.pop();
      if (!last) return close();
      what = last.what;
      title.textContent = what.title;
      back.hidden = !below.length;
      body.replaceChildren(last.content);
      return last.content;
    };

    const saved = (response, answer) => {
      const [, kind, id] = new URL(response.url).pathname.match(/\/(\w+)\/(\d+)\/change\/$/) || [];
      const said = answer.querySelector("main [role=status]")?.textContent.replace(/\s+/g, " ").trim() || "";
      return { kind: kind || "", id, said, answer };
    };

    const submit = async (event) => {
      const form = event.target;
      event.preventDefault();
      const data = new FormData(form, event.submitter);
      const asked = what;
      const buttons = [...panel.querySelectorAll("button[type=submit]")];
      buttons.forEach((button) => { button.disabled = true; });
      try {
        const response = await fetch(form.action, { method: "POST", body: data, credentials: "same-origin" });
        if (response.status === 401 || response.url.includes("/accounts/")) {
          window.location.reload();
          return;
        }
        const answer = await parse(response);
        if (what !== asked) return;
        if (response.redirected) {
          done(saved(response, answer), what, { close, under });
          return;
        }
        const content = response.ok && extract(answer, form.action);
        if (!content) throw new Error(String(response.status));
        show(content);
      } catch {
        const note = document.createElement("p");
        note.className = "desk-refusal";
        note.setAttribute("role", "alert");
        note.textContent = texts.moveFailed;
        body.prepend(note);
        note.scrollIntoView({ block: "nearest" });
      } finally {
        buttons.forEach((button) => { button.disabled = false; });
      }
    };

    panel.addEventListener("submit", submit);
    panel.addEventListener("click", (event) => {
      if (event.target.closest("[data-panel-close]")) close();
      if (event.target.closest("[data-panel-back]")) under();
    });
    document.addEventListener("keydown", (event) => {
      const busy = document.querySelector(".select2-container--open, dialog[open]");
      if (event.key === "Escape" && !event.defaultPrevented && !panel.hidden && !busy) close();
    });

    return { open, close, get what() { return what; } };
  };
})();
