// What comes out: runs with their metrics, and the pictures of one of them as they finish.

import { ask } from './api.js';
import { atMostEach, el, keyed, setAttribute, setText, show } from './dom.js';
import { gallery } from './gallery.js';
import { pager, problem } from './pieces.js';
import * as words from './words.js';

const PAGE = 50,
    COLUMNS = 4,
    EACH = 3_000;

/** Whoever submitted a sweep writes its folders after its end: their numbers are waited for so long. */
const FOLDERS = 10 * 60_000,
    ASK_AGAIN = 5_000;

/** The metrics that say most come first; others follow by name. */
const FIRST = [
    'reconstruction_error_images',
    'correlation.mean',
    'noise_correlation.mean',
    'kl_div_noise_latent',
    'reconstruction_error_noise',
];

export function results(sweep) {
    let from = 0,
        runs = [],
        chosen = null,
        seen = '',
        columns = [],
        live = true,
        ended = null,
        later = null;
    const head = el('tr');
    const body = el('tbody');
    const fill = keyed(body, () =>
        runRow(slug => {
            chosen = slug;
            draw();
        }),
    );
    const table = el('div', { class: 'scroll' }, el('table', { class: 'runs' }, el('thead', null, head), body));
    const note = el('p', { class: 'soft' });
    const trouble = problem();
    const pages = pager(PAGE, start => {
        from = start;
        chosen = null;
        load();
    });
    const pictures = gallery(sweep);
    const numbers = el('dl', { class: 'numbers' });
    const all = el('details', { class: 'all-numbers' }, el('summary', null, 'All numbers of this run'), numbers);
    const node = el(
        'section',
        { 'aria-labelledby': 'results-title', hidden: true },
        el('h2', { id: 'results-title', tabindex: -1 }, 'Results'),
        trouble.node,
        table,
        note,
        pages.node,
        pictures.node,
        all,
    );

    const load = atMostEach(EACH, async () => {
        try {
            const answer = await ask(`api/sweeps/${encodeURIComponent(sweep)}/runs?from=${from}&count=${PAGE}`);
            runs = answer.entries;
            pages.update(answer.total, answer.from);
            show(node, answer.total > 0);
            draw();
            trouble.clear();
        } catch (error) {
            trouble.say(error);
        }
        clearTimeout(later);
        if (ended && Date.now() - new Date(ended) < FOLDERS && runs.some(run => !run.metrics)) {
            later = setTimeout(load, ASK_AGAIN);
        }
    });

    function draw() {
        if (!runs.some(run => run.slug === chosen)) chosen = runs[0]?.slug ?? null;
        const names = [...new Set(runs.flatMap(run => Object.keys(run.metrics ?? {})))].filter(name => !isEnd(name));
        const rank = name => FIRST.indexOf(name) + 1 || FIRST.length + 1;
        columns = names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b)).slice(0, COLUMNS);
        const titles = ['Run', 'Rows ready', ...columns.map(titleOf)];
        if (head.textContent !== titles.join('')) {
            head.replaceChildren(
                ...titles.map((title, at) => el('th', { scope: 'col', class: at > 0 ? 'number' : null }, title)),
            );
        }
        const axes = [...new Set(runs.flatMap(run => Object.keys(run.axes ?? {})))];
        const apart = new Set(axes.filter(axis => new Set(runs.map(run => run.axes?.[axis])).size > 1));
        fill(
            runs.map(run => ({ run, columns, apart, chosen: run.slug === chosen })),
            item => item.run.slug,
        );
        setText(
            note,
            columns.length === 0
                ? live
                    ? 'Metrics follow when the first run folder is written.'
                    : 'No metrics were told for these runs.'
                : '',
        );
        const run = runs.find(r => r.slug === chosen) ?? null;
        pictures.update(run);
        const metrics = Object.keys(run?.metrics ?? {}).filter(name => !isEnd(name));
        show(all, metrics.length > columns.length);
        numbers.replaceChildren(
            ...metrics.flatMap(name => [el('dt', null, name), el('dd', null, `${words.metric(run.metrics[name])}${ends(run, name)}`)]),
        );
    }

    return {
        node,
        told(now) {
            live = words.isLive(now.state);
            ended = now.endedAt;
            const progress = `${now.state} ${now.rowsDone}`;
            if (progress !== seen) load();
            seen = progress;
        },
        close() {
            load.close();
            clearTimeout(later);
            pictures.close();
        },
    };
}

/** The ends of an interval are told as numbers of their own, and shown with the number that they are of. */
const isEnd = name => /\.(low|high)$/.test(name);

function ends(run, name) {
    const [low, high] = [run.metrics?.[`${name}.low`], run.metrics?.[`${name}.high`]];
    return low === undefined || high === undefined ? '' : ` (${words.metric(low)} to ${words.metric(high)})`;
}

const titleOf = name => name.replaceAll('_', ' ').replace('.', ' ');

/** A run as people say it: its intervention, its steps, and whatever sets it apart from the others. */
function runName(run, apart) {
    const axes = Object.entries(run.axes ?? {})
        .filter(([axis]) => axis === 'num_inference_steps' || apart.has(axis))
        .map(([axis, value]) => (axis === 'num_inference_steps' ? `T=${value}` : `${axis} ${value}`));
    return [run.intervention ?? 'plain', ...axes].join(', ');
}

function runRow(choose) {
    let slug = '';
    const name = el('button', { type: 'button', class: 'choose', onclick: () => choose(slug) });
    const ready = el('td', { class: 'number' });
    const node = el('tr', null, el('td', null, name), ready);
    return {
        node,
        update({ run, columns, apart, chosen }) {
            slug = run.slug;
            setText(name, runName(run, apart));
            name.title = run.slug;
            setAttribute(name, 'aria-pressed', String(chosen));
            node.classList.toggle('chosen', chosen);
            const all = run.rows[1] - run.rows[0];
            const done = run.pictures.length ? Math.min(...run.pictures.map(p => p.done)) : 0;
            setText(
                ready,
                run.pictures.length
                    ? done >= all
                        ? `all ${words.count(all)}`
                        : `${words.count(done)} of ${words.count(all)}`
                    : '–',
            );
            while (node.children.length > 2 + columns.length) node.lastChild.remove();
            while (node.children.length < 2 + columns.length) node.append(el('td', { class: 'number' }));
            columns.forEach((column, at) => {
                const cell = node.children[2 + at];
                setText(cell, words.metric(run.metrics?.[column] ?? null));
                const interval = ends(run, column);
                cell.title = interval ? `95 %: ${interval.slice(2, -1)}` : '';
            });
        },
    };
}
