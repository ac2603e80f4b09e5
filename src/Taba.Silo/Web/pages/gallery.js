// Pictures of one run: of each sample what was sampled, its latent and its reconstruction side by side.

import { ask } from './api.js';
import { atMostEach, el, keyed, setText, show } from './dom.js';
import { frame } from './frame.js';
import { pager } from './pieces.js';
import { openViewer } from './viewer.js';
import * as words from './words.js';

const PAGE = 12,
    BINS = 256;

export function gallery(sweep) {
    let run = null,
        from = 0,
        ready = new Map(),
        known = '',
        viewer = null;
    const title = el('h3');
    const order = el('p', { class: 'soft' });
    const list = el('ul', { class: 'gallery' });
    const fill = keyed(list, sample => sampleTile(sample, open));
    const pages = pager(PAGE, start => {
        from = start;
        draw();
    });
    const node = el('div', { class: 'pictures', hidden: true }, title, order, list, pages.node);

    /** Which rows are published is asked by ranges, so that no picture is asked for that is not there. */
    const look = atMostEach(2_000, async () => {
        const now = run;
        if (now === null) return;
        const stages = [...new Set(now.pictures.filter(p => p.done > 0 && !complete(p)).map(p => p.stage))];
        const answers = await Promise.all(
            stages.map(stage =>
                ask(
                    `api/stages/${encodeURIComponent(stage)}/parts?sweep=${encodeURIComponent(sweep)}&bins=${BINS}&from=0&count=1`,
                ).then(
                    parts => [stage, parts],
                    () => null,
                ),
            ),
        );
        if (now.slug !== run?.slug) return;
        for (const answer of answers.filter(Boolean)) ready.set(...answer);
        draw();
    });

    const complete = picture => picture.done >= run.rows[1] - run.rows[0];

    function isThere(picture, row) {
        if (complete(picture)) return true;
        const parts = ready.get(picture.stage);
        if (picture.done === 0 || !parts) return false;
        const [start, end] = parts.rows;
        const bins = parts.strip.length;
        const bin = parts.strip.findIndex((_, b) => row < start + Math.floor(((end - start) * (b + 1)) / bins));
        return bin >= 0 && parts.strip[bin][0] > 0 && parts.strip[bin][1] >= parts.strip[bin][0];
    }

    const sampleAt = row => ({
        key: `${run.slug} ${row}`,
        row,
        pictures: run.pictures.map(p => ({
            title: p.title,
            name: p.name,
            there: isThere(p, row),
            url: `api/stages/${encodeURIComponent(p.stage)}/samples/${row}.png`,
        })),
    });

    function draw() {
        show(node, Boolean(run?.pictures.length));
        if (!run?.pictures.length) return;
        const [start, end] = run.rows;
        const rows = Array.from({ length: Math.min(PAGE, end - start - from) }, (_, at) => start + from + at);
        setText(title, 'Pictures');
        setText(
            order,
            `${words.capital(run.pictures.map(p => p.title).join(', '))}, from left to right. They appear as they finish; one opens large.`,
        );
        list.dataset.pictures = run.pictures.length;
        fill(rows.map(sampleAt), sample => sample.key);
        pages.update(end - start, from);
        viewer?.refresh();
    }

    function open(row) {
        const [start, end] = run.rows;
        viewer = openViewer(row, [start, end], sampleAt, at => {
            viewer = null;
            const page = Math.floor((at - start) / PAGE) * PAGE;
            if (page !== from) {
                from = page;
                draw();
            }
            list.querySelector(`[data-row="${at}"]`)?.focus();
        });
    }

    return {
        node,
        update(next) {
            if (next?.slug !== run?.slug) {
                from = 0;
                ready = new Map();
            }
            run = next;
            draw();
            const now = JSON.stringify([run?.slug, run?.pictures.map(p => p.done)]);
            if (now !== known) look();
            known = now;
        },
        close() {
            look.close();
            viewer?.close();
        },
    };
}

function sampleTile(sample, open) {
    const trio = el('span', { class: 'trio' });
    const button = el(
        'button',
        { type: 'button', class: 'sample', dataset: { row: sample.row }, onclick: () => open(sample.row) },
        trio,
        el('span', { class: 'caption' }, words.count(sample.row)),
    );
    const frames = sample.pictures.map(() => frame());
    trio.append(...frames.map(f => f.node));
    return {
        node: el('li', null, button),
        update(now) {
            frames.forEach((f, at) => f.update(now.pictures[at]));
            const there = now.pictures.filter(p => p.there).map(p => p.title);
            button.setAttribute('aria-label', `Sample ${now.row}: ${there.length ? there.join(', ') : 'nothing yet'}`);
        },
    };
}
