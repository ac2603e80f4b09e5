// Ten minutes of a device, or of all together: time by state, stacked, and how full batches were.

import { ask } from './api.js';
import { atMostEach, el, setText, show } from './dom.js';
import { DOING } from './fleet.js';
import * as words from './words.js';

const STEP = 10_000,
    LEAST = 12;
const dark = matchMedia('(prefers-color-scheme: dark)');
let uplot = null;

/** The library comes when the first chart does. */
function library() {
    uplot ??= new Promise((resolve, reject) => {
        document.head.append(
            el('link', { rel: 'stylesheet', href: 'vendor/uPlot.min.css' }),
            el('script', {
                src: 'vendor/uPlot.iife.min.js',
                onload: () => resolve(window.uPlot),
                onerror: () => reject(new Error('the charts could not be loaded')),
            }),
        );
    });
    return uplot;
}

/** Without the time before anything was known, but never less than two minutes. */
function known({ states, points, stepSeconds, from }) {
    const first = points.findIndex(point => states.some((_, column) => point[column] > 0));
    const skipped = Math.max(0, Math.min(first < 0 ? points.length : first, points.length - LEAST));
    return {
        states,
        stepSeconds,
        points: points.slice(skipped),
        from: new Date(from).getTime() + 1000 * stepSeconds * skipped,
    };
}

/** `device` is "SILO/NAME", or null for the fleet. `told()` says that time went on. */
export function historyChart(device, height) {
    let chart = null,
        history = null,
        closed = false;
    const place = el('div', { class: 'chart', role: 'img' });
    const key = el('ul', { class: 'legend times', 'aria-live': 'off' });
    const at = el('p', { class: 'soft at' });
    const node = el('div', { class: 'history' }, place, key, at);
    const sizes = new ResizeObserver(
        () => chart && chart.width !== place.clientWidth && chart.setSize({ width: place.clientWidth, height }),
    );
    sizes.observe(place);
    dark.addEventListener('change', redraw);

    const load = atMostEach(STEP, async () => {
        try {
            history = known(
                await ask(`api/devices/history${device === null ? '' : `?device=${encodeURIComponent(device)}`}`),
            );
            const make = await library();
            if (!closed) draw(make);
        } catch (error) {
            setText(at, words.sentence(error.message));
        }
    });

    function redraw() {
        chart?.destroy();
        chart = null;
        if (history) library().then(make => closed || draw(make));
    }

    function draw(make) {
        const { states, points, stepSeconds } = history;
        const begin = history.from / 1000;
        const shown = states.filter(state => state !== 'idle');
        const columns = [points.map((_, i) => begin + i * stepSeconds)];
        const sums = points.map(() => 0);
        for (const state of shown) {
            const column = states.indexOf(state);
            points.forEach((point, i) => {
                sums[i] += point[column] ?? 0;
            });
            columns.push(sums.slice());
        }
        // The highest sum is drawn first, each lower one over it: what is left in colour is each state's own share.
        const data = [columns[0], ...columns.slice(1).reverse(), points.map(point => point[states.length] ?? null)];
        if (chart) chart.setData(data);
        else if (place.clientWidth > 0) {
            chart = new make(
                options(make, shown.slice().reverse(), place.clientWidth, height, i => tell(i)),
                data,
                place,
            );
        }
        tell(null);
    }

    /** The legend has numbers: of one moment under the pointer, or of all ten minutes. */
    function tell(i) {
        if (history === null) return;
        const { states, points } = history;
        const some = (i === null || i === undefined ? points : [points[i]]).filter(point =>
            states.some((_, column) => point[column] > 0),
        );
        const mean = column => some.reduce((sum, point) => sum + (point[column] ?? 0), 0) / Math.max(1, some.length);
        const said = states.map((state, column) => ({ state, share: mean(column) }));
        if (key.children.length !== said.length) {
            key.replaceChildren(
                ...said.map(({ state }) => el('li', null, el('i', { class: `swatch time ${state}` }), el('span'))),
            );
        }
        said.forEach(({ state, share }, n) => {
            setText(key.children[n].lastChild, wordsOf({ state, share }));
            show(
                key.children[n],
                points.some(point => point[n] >= 0.005),
            );
        });
        const fills = some.map(point => point[states.length]).filter(value => value !== null && value !== undefined);
        const fill = fills.length
            ? `; batches ${Math.round((100 * fills.reduce((a, b) => a + b, 0)) / fills.length)} % full (dashed)`
            : '';
        setText(
            at,
            i === null || i === undefined
                ? `Mean of ${words.duration(some.length * history.stepSeconds)}${fill}`
                : `At ${words.timeOfDay(new Date(history.from + 1000 * i * history.stepSeconds))}${fill}`,
        );
        if (i === null || i === undefined)
            place.setAttribute('aria-label', `Time by state: ${said.map(wordsOf).join(', ')}${fill}`);
    }

    load();
    return {
        node,
        told: load,
        close() {
            closed = true;
            load.close();
            sizes.disconnect();
            dark.removeEventListener('change', redraw);
            chart?.destroy();
        },
    };
}

const wordsOf = ({ state, share }) => `${DOING[state] ?? state} ${Math.round(100 * share)} %`;

function options(make, states, width, height, tell) {
    const style = getComputedStyle(document.documentElement);
    const colour = name => style.getPropertyValue(name).trim();
    const axis = {
        stroke: colour('--soft'),
        grid: { stroke: colour('--rule'), width: 1 },
        ticks: { show: false },
        font: '12px system-ui, sans-serif',
    };
    const step = make.paths.stepped({ align: 1 });
    return {
        width,
        height,
        legend: { show: false },
        padding: [8, 4, 0, 0],
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: { x: { time: true }, y: { range: [0, 1] } },
        axes: [
            {
                ...axis,
                size: 26,
                space: 70,
                incrs: [60, 120, 300],
                values: (_, splits) => splits.map(at => words.hourAndMinute(new Date(at * 1000))),
            },
            {
                ...axis,
                size: 46,
                splits: [0, 0.5, 1],
                values: (_, splits) => splits.map(v => `${Math.round(100 * v)} %`),
            },
        ],
        series: [
            {},
            ...states.map(state => ({
                paths: step,
                fill: colour(`--time-${state}`),
                width: 0,
                points: { show: false },
            })),
            { stroke: colour('--ink'), width: 1.25, dash: [4, 4], points: { show: false }, spanGaps: true },
        ],
        hooks: { setCursor: [chart => tell(chart.cursor.idx)] },
    };
}
