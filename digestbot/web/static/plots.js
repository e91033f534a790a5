// Draws a plot above each <table data-plot="lines|areas|bars|spans">, from the numbers in it.
//
// The first cell of a row is its label (data-x: a time in ms), the others are the series; a cell's
// data-value beats its text. data-unit on the table is written behind numbers. A row with the class
// "late" lies past the target: in bars a line is drawn before the first of them. In spans the cells
// are beginning and end, and rows with the same label share a line. data-most: only so many rows
// are drawn, the first ones.
"use strict";

(() => {
  const TONES = ["good", "warn", "hold", "bad", "info", "dim"];
  // A colour with a light and a dark side is only known once something has it.
  const probe = document.createElement("span");
  const colour = (name) => {
    probe.className = TONES.includes(name) ? name : "info";
    if (!probe.isConnected) { probe.hidden = true; document.body.append(probe); }
    return getComputedStyle(probe).color;
  };
  const faint = (rgb) => rgb.replace("rgb(", "rgba(").replace(")", ", .25)");

  const value = (cell) => {
    const text = cell.dataset.value ?? cell.textContent.replaceAll(",", "").trim();
    return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
  };
  const day = (ms) => new Date(ms).toISOString().slice(0, 10);
  const minute = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");

  const read = (table) => {
    const heads = [...table.tHead.rows[0].cells].slice(1);
    const rows = [...table.tBodies[0].rows].slice(0, table.dataset.most ?? Infinity);
    return {
      names: heads.map((cell) => cell.textContent.trim()),
      tones: heads.map((cell) => cell.dataset.tone ?? "info"),
      labels: rows.map((row) => row.cells[0].textContent.trim()),
      times: rows.map((row) => (row.cells[0].dataset.x ? Number(row.cells[0].dataset.x) : null)),
      late: rows.findIndex((row) => row.classList.contains("late")),
      isLate: rows.map((row) => row.classList.contains("late")),
      values: heads.map((_, index) => rows.map((row) => value(row.cells[index + 1]))),
      unit: table.dataset.unit ?? "",
    };
  };

  const target = (index, text) => ({
    id: "target",
    afterDatasetsDraw({ ctx, chartArea, scales }) {
      if (index < 1) return;
      const x = (scales.x.getPixelForValue(index - 1) + scales.x.getPixelForValue(index)) / 2;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour("bad");
      ctx.setLineDash([5, 4]);
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      ctx.font = "12px system-ui, sans-serif";
      ctx.fillText(text, x + 6, chartArea.top + 12);
      ctx.restore();
    },
  });

  const options = (told, more) => {
    const ink = colour("dim");
    const grid = faint(ink);
    const ticks = { color: ink };
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { display: told.names.length > 1, position: "bottom", labels: { color: ink, boxWidth: 14 } },
        tooltip: { callbacks: more.tooltip ?? {} },
      },
      scales: {
        x: { grid: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkip: true }, ...more.x },
        y: { beginAtZero: true, grid: { color: grid }, ticks: { ...ticks, precision: 0 }, title: { display: Boolean(told.unit), text: told.unit, color: ink }, ...more.y },
      },
      ...more.top,
    };
  };

  const DAY = 24 * 3600 * 1000;
  const FEW_DAYS = 3 * DAY;
  // Around a single moment an axis of numbers is years wide; a day says when it was.
  const around = (times) => {
    const [first, last] = [Math.min(...times), Math.max(...times)];
    return first > 0 && first === last ? { min: first - DAY / 2, max: first + DAY / 2 } : {};
  };
  const overTime = (times) => ({
    type: "linear",
    bounds: "data",
    ...around(times),
    ticks: {
      color: colour("dim"), maxTicksLimit: 7, maxRotation: 0,
      callback(ms) { return this.max - this.min < FEW_DAYS ? minute(ms).slice(5) : day(ms); },
    },
  });

  const lines = (told, isStacked) => ({
    type: "line",
    data: {
      datasets: told.names.map((label, index) => ({
        label,
        data: told.values[index].map((y, row) => ({ x: told.times[row] ?? row, y })),
        borderColor: colour(told.tones[index]),
        backgroundColor: isStacked ? faint(colour(told.tones[index])) : colour(told.tones[index]),
        fill: isStacked ? "stack" : false, stack: isStacked ? "all" : undefined,
        borderWidth: 2, pointRadius: told.labels.length > 40 ? 0 : 2, tension: 0, spanGaps: true,
      })),
    },
    options: options(told, {
      x: overTime(told.times),
      y: { stacked: isStacked },
      tooltip: { title: (items) => told.labels[items[0].dataIndex] },
    }),
  });

  const bars = (told, table) => ({
    type: "bar",
    data: {
      labels: told.labels,
      datasets: told.names.map((label, index) => ({
        label, data: told.values[index], stack: "all",
        backgroundColor: colour(told.tones[index]),
      })),
    },
    options: options(told, { x: { stacked: true }, y: { stacked: true } }),
    plugins: [target(told.late, table.dataset.target ?? "")],
  });

  // What has the same label is on the same line, however often it comes.
  const lanes = (told) => [...new Set(told.labels)];
  const spans = (told) => ({
    type: "bar",
    data: {
      labels: lanes(told),
      datasets: [{ label: "", data: told.labels.map((y, row) => ({ y, x: [told.values[0][row], told.values[1][row]] })), backgroundColor: colour("info"), minBarLength: 3, maxBarThickness: 18 }],
    },
    options: options({ ...told, names: [""] }, {
      top: { indexAxis: "y", interaction: { mode: "nearest", axis: "xy", intersect: false } },
      x: { ...overTime(told.values.flat()), beginAtZero: false },
      y: { beginAtZero: false, grid: { display: false } },
      tooltip: { title: (items) => items[0].raw.y, label: (item) => `${minute(item.raw.x[0])} – ${minute(item.raw.x[1])} UTC` },
    }),
  });

  const KINDS = {
    lines: (told) => lines(told, false),
    areas: (told) => lines(told, true),
    bars,
    spans,
  };
  const drawn = new Map();

  const draw = (table) => {
    const figure = table.closest("figure");
    const room = figure.querySelector(".canvas");
    const told = read(table);
    if (told.labels.length === 0) return;
    drawn.get(room)?.destroy();
    if (table.dataset.plot === "spans") room.style.height = `${Math.min(28, 4 + 1.8 * lanes(told).length)}rem`;
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${figure.querySelector("h3").textContent}; the numbers are in the table below`);
    room.replaceChildren(canvas);
    room.hidden = false;
    drawn.set(room, new Chart(canvas, KINDS[table.dataset.plot](told, table)));
    if (!table.dataset.drawn) figure.querySelector("details").open = false;
    table.dataset.drawn = "yes";
  };

  window.digestbotPlots = (root) => {
    for (const [room, chart] of drawn) if (!room.isConnected) { chart.destroy(); drawn.delete(room); }
    for (const table of root.querySelectorAll("table[data-plot]:not([data-drawn])")) draw(table);
  };
  const again = () => { for (const table of document.querySelectorAll("table[data-drawn]")) draw(table); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
})();
