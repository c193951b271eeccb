// The card of a visit, while the pointer rests on it or the keyboard is there. Texts only: nothing is ever read as HTML.
(() => {
  const camerino = (window.camerino ??= {});

  const make = (name, className, ...children) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...children.filter((child) => child !== "" && child !== null && child !== undefined));
    return element;
  };

  const icon = (name) => {
    const element = make("span", "material-symbols-outlined", name);
    element.setAttribute("aria-hidden", "true");
    return element;
  };

  camerino.make = make;
  camerino.icon = icon;

  // `find(id)` gives the visit, `tell(visit)` lines of [icon, text, class].
  camerino.card = ({ root, card, find, tell }) => {
    let timer = 0;
    let on = null;

    const hide = () => {
      clearTimeout(timer);
      card.hidden = true;
      on?.removeAttribute("aria-describedby");
      on = null;
    };

    const place = (element) => {
      const box = element.getBoundingClientRect();
      const { offsetWidth: width, offsetHeight: height } = card;
      const beside = box.right + 8 + width < window.innerWidth;
      const left = beside ? box.right + 8 : Math.max(8, box.left - width - 8);
      const top = Math.min(Math.max(8, box.top), window.innerHeight - height - 8);
      card.style.left = `${Math.min(left, window.innerWidth - width - 8)}px`;
      card.style.top = `${Math.max(8, top)}px`;
    };

    const show = (element, visit) => {
      card.replaceChildren(
        ...tell(visit).map(([name, text, className]) => make("p", className || "", name ? icon(name) : "", make("span", "", text))),
      );
      card.hidden = false;
      on = element;
      element.setAttribute("aria-describedby", card.id);
      place(element);
    };

    const enter = (event, delay) => {
      const element = event.target.closest?.(".ec-event, .calendar-month-visit");
      if (card.contains(event.target)) {
        clearTimeout(timer);
        return;
      }
      const mark = element?.matches("[data-visit]") ? element : element?.querySelector("[data-visit]");
      const visit = mark && find(mark.dataset.visit);
      if (!visit) return;
      if (element === on) {
        clearTimeout(timer);
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(() => element.isConnected && show(element, visit), delay);
    };

    const leave = (event) => {
      const to = event.relatedTarget;
      if (to && (card.contains(to) || to.closest?.(".ec-event, .calendar-month-visit") === on)) return;
      clearTimeout(timer);
      // Time to reach the card itself.
      timer = setTimeout(hide, 150);
    };

    root.addEventListener("pointerover", (event) => event.pointerType === "mouse" && !event.buttons && enter(event, 250));
    root.addEventListener("pointerout", leave);
    root.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && enter(event, 0));
    root.addEventListener("focusout", leave);
    card.addEventListener("pointerover", () => clearTimeout(timer));
    card.addEventListener("pointerout", leave);
    document.addEventListener("pointerdown", hide);
    document.addEventListener("scroll", hide, { capture: true, passive: true });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
    });
    return { hide };
  };
})();
