// Draws the calendar with @event-calendar: visits, busy time, shaded hours; and says what was clicked or dragged.
// Times are naive wall clocks of the location, counted in UTC here so that the browser's own zone never moves them.
(() => {
  const camerino = (window.camerino ??= {});
  const { make, icon } = camerino;
  const CHANGING = ["date", "timeZone", "slotMinTime", "slotMaxTime", "hiddenDays", "allDaySlot", "resources"];
  const SEVERAL = 40;
  const MANY = 6;
  // In pixels: what a column has at least, and from where on a time stands beside the name.
  const COLUMN = 136;
  const WIDE = 150;
  const VIEWS = { day: "resourceTimeGridDay", week: "timeGridWeek" };

  const plus = (clock, minutes) => new Date(Date.parse(`${clock}Z`) + minutes * 60000).toISOString().slice(0, 16);
  const hour = (clock) => clock.slice(11, 16);
  // The wall clock of a place so far from UTC, as "+01:00".
  const clockNow = (zone) => {
    const [hours, minutes] = zone.slice(1).split(":").map(Number);
    return plus(new Date().toISOString().slice(0, 16), (zone[0] === "-" ? -1 : 1) * (hours * 60 + minutes));
  };
  // Days before months, as the rest of the desk writes them.
  camerino.locale = (language) => (language === "en" ? "en-GB" : language);
  camerino.plus = plus;
  camerino.hour = hour;

  const hidden = (text) => make("span", "desk-hidden", text);

  camerino.grid = ({ root, setup, picking, picked, dropped, chosen, opened, dragging }) => {
    const { texts } = setup;
    let grid = null;
    let drawn = "";
    let set = {};
    let data = null;
    let by = "practitioner";
    let view = "day";

    const column = (visit) => (by === "room" ? `r${visit.room || 0}-${visit.room ? visit.place : 1}` : `p${visit.practitioner}`);
    const person = (id) => data.people[id]?.[0] || "";
    const service = (visit) => data.services[visit.service]?.[0] || "";

    const colour = (visit) =>
      (view === "day" && by === "practitioner" ? data.services[visit.service]?.[1] : data.people[visit.practitioner]?.[1]) || "";

    const contents = ({ event }) => {
      const { kind, visit, text } = event.extendedProps;
      if (kind === "shade") return { domNodes: text ? [make("span", "calendar-shade-text", text)] : [] };
      if (kind === "totals") return { domNodes: [make("strong", "", text)] };
      if (!visit) return { domNodes: [make("span", "calendar-visit", text)] };
      const status = icon(setup.icons[visit.status]);
      const name = make("span", "calendar-name", visit.name);
      const node = make(
        "span",
        "calendar-visit",
        status,
        visit.overlap ? icon("layers") : "",
        make("span", "calendar-time", hour(visit.start)),
        name,
        make("span", "calendar-service", [service(visit), view === "day" && by === "practitioner" ? "" : person(visit.practitioner)].filter(Boolean).join(" · ")),
        hidden(`, ${setup.statuses[visit.status]}${visit.overlap ? `, ${texts.overlap}` : ""}`),
      );
      node.dataset.visit = visit.id;
      return { domNodes: [node] };
    };

    const classes = ({ event }) => {
      const { kind, visit } = event.extendedProps;
      if (!visit) return [`calendar-${kind}`];
      const short = visit.minutes <= 20 ? ["calendar-short"] : [];
      return ["calendar-of-visit", `calendar-is-${visit.status}`, ...short, ...(visit.overlap ? ["calendar-overlaps"] : [])];
    };

    const events = () => {
      const found = data.visits.map((visit) => ({
        id: String(visit.id),
        resourceIds: [column(visit)],
        start: visit.start,
        end: plus(visit.start, visit.minutes),
        editable: setup.may.move && setup.movable.includes(visit.status),
        styles: [`--visit:${colour(visit)}`],
        extendedProps: { kind: "visit", visit },
      }));
      const blocked = (kind, start, minutes, key, text) => ({
        id: `${kind}-${key}-${start}`,
        resourceIds: [key],
        start,
        end: plus(start, minutes),
        editable: false,
        extendedProps: { kind: "busy", text },
      });
      for (const [start, minutes, who, room, place] of data.busy || []) {
        const key = by === "room" ? `r${room || 0}-${room ? place : 1}` : `p${who}`;
        const text = view === "day" && by === "practitioner" ? texts.busy : `${texts.busy} · ${person(who)}`;
        found.push(blocked("busy", start, minutes, key, text));
      }
      for (const [start, minutes, who, where] of data.elsewhere || []) {
        found.push(blocked("elsewhere", start, minutes, `p${who}`, texts.elsewhere.replace("%s", where)));
      }
      for (const [day, count] of data.totals || []) {
        found.push({
          id: `total-${day}`, start: day, end: day, allDay: true, editable: false,
          extendedProps: { kind: "totals", day, text: texts.visits.replace("%s", count) },
        });
      }
      for (const [key, kind, start, end] of data.shade) {
        found.push({
          id: `shade-${key}-${start}`, resourceIds: key ? [key] : [], start, end, display: "background",
          extendedProps: { kind: "shade", text: kind === "unworked" ? "" : texts[kind] },
          classNames: [`calendar-shade-${kind}`],
        });
      }
      return found;
    };

    const resources = () => {
      if (view !== "day") return [];
      return data.columns.map(([id, title, tint]) => ({ id, title, extendedProps: { tint } }));
    };

    const label = ({ resource }) => {
      const node = make("span", "calendar-column", resource.title || "");
      if (resource.extendedProps?.tint) node.style.setProperty("--visit", resource.extendedProps.tint);
      return { domNodes: [node] };
    };

    // Weekdays on which the house is closed and nothing stands take no room.
    const idle = () => {
      if (view !== "week") return [];
      const busy = new Set([...data.visits.map((visit) => visit.start.slice(0, 10)), ...(data.totals || []).map(([day]) => day)]);
      return data.closed.filter((day) => !busy.has(day)).map((day) => new Date(`${day}T00:00Z`).getUTCDay());
    };

    const mine = (key) => !setup.own || !key?.startsWith("p") || key === `p${setup.own}`;

    const place = (resource) => {
      const key = resource?.id || "";
      if (key.startsWith("p")) return { practitioner: key.slice(1) };
      if (key.startsWith("r") && !key.startsWith("r0")) return { room: key.slice(1).split("-")[0] };
      return {};
    };

    const options = (state) => ({
      view: VIEWS[view],
      date: state.on,
      locale: camerino.locale(setup.language),
      timeZone: data.zone,
      firstDay: 1,
      headerToolbar: { start: "", center: "", end: "" },
      height: "100%",
      allDaySlot: view === "week" && Boolean(data.totals?.length),
      allDayContent: "",
      columnWidth: `minmax(var(--calendar-${view === "day" ? "column" : "weekday"}), 1fr)`,
      customScrollbars: true,
      slotDuration: { minutes: setup.step },
      slotLabelInterval: "01:00",
      slotLabelFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
      slotHeight: setup.step >= 30 ? 36 : setup.step >= 15 ? 21 : 14,
      slotMinTime: `${String(data.hours[0]).padStart(2, "0")}:00`,
      slotMaxTime: `${String(data.hours[1]).padStart(2, "0")}:00`,
      flexibleSlotTimeLimits: true,
      slotEventOverlap: false,
      nowIndicator: true,
      hiddenDays: idle(),
      dayHeaderFormat: { weekday: "short", day: "numeric", month: "short" },
      resources: resources(),
      events: events(),
      eventContent: contents,
      eventClassNames: classes,
      resourceLabelContent: label,
      editable: false,
      eventLongPressDelay: 400,
      selectLongPressDelay: 400,
      selectable: setup.may.book,
      unselectCancel: "#calendar-panel",
      selectConstraint: ({ resource }) => mine(resource?.id),
      dragConstraint: ({ event }) => event.resourceIds.every((key) => key !== "r0-1" && mine(key)),
      eventDragStart: () => dragging(true),
      eventDragStop: () => dragging(false),
      eventResizeStart: () => dragging(true),
      eventResizeStop: () => dragging(false),
      eventClick: ({ event, el }) => {
        const { visit, kind, day } = event.extendedProps;
        if (visit) opened(visit, el);
        else if (kind === "totals") picked(day);
      },
      dateClick: ({ dateStr, resource }) => {
        if (setup.may.book && mine(resource?.id)) chosen({ start: dateStr.slice(0, 16), ...place(resource) });
      },
      select: ({ startStr, endStr, resource }) =>
        chosen({ start: startStr.slice(0, 16), end: endStr.slice(0, 16), ...place(resource) }),
      eventDrop: ({ event, delta, newResource, revert }) => {
        const { visit } = event.extendedProps;
        const target = newResource ? place(newResource) : {};
        const same = by === "room" && target.room === String(visit.room);
        if (same) delete target.room;
        if (!delta.seconds && !Object.keys(target).length) revert();
        else dropped(visit, { shift: delta.seconds / 60, ...target }, revert);
      },
      eventResize: ({ event, endDelta, revert }) =>
        dropped(event.extendedProps.visit, { longer: endDelta.seconds / 60 }, revert),
    });

    const month = camerino.month({ root, setup, opened, address: picking });

    const clear = () => {
      if (grid) window.EventCalendar.destroy(grid);
      grid = null;
      root.replaceChildren();
    };

    const told = (list) => new Map(list.map((event) => [event.id, JSON.stringify(event)]));

    // Only what changed is drawn again: the rest keeps the pointer and the keyboard where they are.
    const renew = (list, before) => {
      const after = told(list);
      const changed = list.filter((event) => after.get(event.id) !== before.get(event.id));
      const gone = [...before.keys()].filter((id) => !after.has(id));
      if (changed.length + gone.length > SEVERAL) {
        grid.setOption("events", list);
        return;
      }
      const here = document.activeElement?.querySelector?.("[data-visit]")?.dataset.visit;
      gone.forEach((id) => grid.removeEventById(id));
      changed.forEach((event) => (before.has(event.id) ? grid.updateEvent(event) : grid.addEvent(event)));
      if (!changed.some((event) => event.id === here)) return;
      requestAnimationFrame(() => {
        if (document.activeElement === document.body) root.querySelector(`[data-visit="${here}"]`)?.closest(".ec-event")?.focus();
      });
    };

    const draw = (found, state) => {
      data = found;
      ({ view, by } = state);
      const people = new Set(data.visits.map((visit) => visit.practitioner)).size;
      // A week of many people is a barcode: as a table of days it can be read.
      if (view === "month" || (view === "week" && (people > MANY || data.totals.length))) {
        clear();
        month.draw(found, state);
        return;
      }
      const room = root.clientWidth / (view === "day" ? data.columns.length || 1 : 7 * Math.max(1, people));
      root.classList.toggle("calendar-narrow", Math.max(room, view === "day" ? COLUMN : 0) < WIDE);
      const now = options(state);
      const shape = `${view} ${by}`;
      if (!grid || shape !== drawn) {
        clear();
        set = {};
        const first = state.on === setup.today ? hour(plus(clockNow(data.zone), -60)) : now.slotMinTime;
        grid = window.EventCalendar.create(root, { ...now, scrollTime: first });
      } else {
        for (const name of CHANGING) {
          if (JSON.stringify(now[name]) !== set[name]) grid.setOption(name, now[name]);
        }
      }
      if (set.events) renew(now.events, set.events);
      set = Object.fromEntries(CHANGING.map((name) => [name, JSON.stringify(now[name])]));
      set.events = told(now.events);
      drawn = shape;
      root.removeAttribute("aria-busy");
    };

    return {
      draw,
      unselect: () => grid?.unselect(),
      find: (id) => data?.visits.find((visit) => String(visit.id) === String(id)),
      person,
      service,
      room: (visit) => {
        const [name, places] = data.rooms[visit.room] || ["", 1];
        return places > 1 ? `${name} · ${texts.place.replace("%s", visit.place)}` : name;
      },
    };
  };
})();
