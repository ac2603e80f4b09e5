// The parts of a stage as a strip: rows from left to right, and of each range how much is done, runs, was given up, or waits.

import { ask } from './api.js';
import { el, setAttribute, show } from './dom.js';
import * as words from './words.js';

const KINDS = ['done', 'running', 'failed', 'waiting'];
const WORDS = { done: 'done', running: 'running', failed: 'given up', waiting: 'waiting' };

/** What is asked for a range under the pointer stays good for this long. */
const FRESH = 2_000;

export function legend() {
    return el(
        'ul',
        { class: 'legend', 'aria-label': 'Legend of the strips' },
        ['done', 'running', 'waiting', 'failed'].map(kind =>
            el('li', null, el('i', { class: `swatch ${kind}` }), WORDS[kind]),
        ),
    );
}

const numbers = ([wanted, done, running, failed]) => ({
    done,
    running,
    failed,
    waiting: Math.max(0, wanted - done - running - failed),
});

export function partStrip(sweep) {
    let stage = null,
        bins = [],
        at = -1,
        parts = null,
        askedAt = -Infinity,
        asking = false,
        drawn = '';
    const cells = el('div', { class: 'cells', 'aria-hidden': 'true' });
    const cursor = el('i', { class: 'cursor', hidden: true });
    const tip = el('div', { class: 'tip', role: 'status', hidden: true });
    const strip = el(
        'div',
        {
            class: 'strip',
            tabindex: 0,
            role: 'group',
            onpointermove: event =>
                point(
                    Math.floor(
                        ((event.clientX - cells.getBoundingClientRect().left) / cells.clientWidth) * bins.length,
                    ),
                ),
            onpointerleave: () => strip.matches(':focus-visible') || point(-1),
            onfocus: () => strip.matches(':focus-visible') && point(0),
            onblur: () => point(-1),
            onkeydown: keys,
        },
        cells,
        cursor,
    );
    const node = el('div', { class: 'strip-box' }, strip, tip);

    function keys(event) {
        const to = {
            ArrowLeft: at - 1,
            ArrowRight: at + 1,
            Home: 0,
            End: bins.length - 1,
            PageUp: at - 10,
            PageDown: at + 10,
        }[event.key];
        if (to === undefined) {
            if (event.key === 'Escape') point(-1);
            return;
        }
        event.preventDefault();
        point(Math.min(bins.length - 1, Math.max(0, to)));
    }

    function draw() {
        // Neighbours that look alike are one element: a stage is often all done or all waiting.
        const runs = [];
        for (const bin of bins) {
            const parts = numbers(bin);
            // One row in a thousand that was given up, or runs, must not vanish among those that did well.
            const look = KINDS.map(kind =>
                Math.max(parts[kind] > 0 && kind !== 'done' ? 1 : 0, Math.round((8 * parts[kind]) / (bin[0] || 1))),
            ).join();
            if (runs.at(-1)?.look === look) {
                runs.at(-1).width++;
                for (const kind of KINDS) runs.at(-1).parts[kind] += parts[kind];
            } else runs.push({ look, width: 1, parts });
        }
        const now = JSON.stringify(runs);
        if (now === drawn) return;
        drawn = now;
        cells.replaceChildren(
            ...runs.map(({ width, parts }) => {
                const cell = el(
                    'span',
                    null,
                    KINDS.filter(kind => parts[kind] > 0).map(kind => {
                        const piece = el('i', { class: kind });
                        piece.style.flexGrow = parts[kind];
                        return piece;
                    }),
                );
                cell.style.flexGrow = width;
                return cell;
            }),
        );
    }

    function point(bin) {
        at = bins.length === 0 ? -1 : Math.min(bin, bins.length - 1);
        if (at >= 0) fetchParts();
        drawTip();
    }

    function drawTip() {
        show(tip, at >= 0);
        show(cursor, at >= 0);
        if (at < 0) return;
        cursor.style.left = `${(100 * at) / bins.length}%`;
        cursor.style.width = `${100 / bins.length}%`;
        tip.style.left = `${Math.min(70, Math.max(0, (100 * at) / bins.length - 8))}%`;
        const now = numbers(bins[at]);
        const what =
            KINDS.filter(kind => now[kind] > 0)
                .map(kind => `${words.count(now[kind])} ${WORDS[kind]}`)
                .join(', ') || 'nothing of this sweep';
        const rows = parts && rangeOf(at, parts.rows);
        const lines = [`${rows ? `${words.rows(rows)}: ` : ''}${what}`];
        if (rows) {
            for (const lease of parts.leases.filter(l => l.rows[0] < rows[1] && rows[0] < l.rows[1]).slice(0, 3)) {
                const far = words.percent(lease.evaluationsDone, lease.evaluationsPlanned);
                lines.push(
                    `${words.range(lease.rows)} on ${lease.host}, out ${words.duration(lease.secondsOut)}, ${far} %`,
                );
            }
        }
        tip.replaceChildren(...lines.map(line => el('div', null, line)));
    }

    function rangeOf(bin, [start, end]) {
        const border = b => start + Math.floor(((end - start) * b) / bins.length);
        return [border(bin), Math.max(border(bin) + 1, border(bin + 1))];
    }

    async function fetchParts() {
        if (asking || performance.now() - askedAt < FRESH) return;
        asking = true;
        try {
            parts = await ask(
                `api/stages/${encodeURIComponent(stage.key)}/parts?sweep=${encodeURIComponent(sweep)}&bins=${bins.length}&from=0&count=500`,
            );
            askedAt = performance.now();
        } catch {
            // The strip itself is still right; the next look asks again.
        } finally {
            asking = false;
            drawTip();
        }
    }

    return {
        node,
        update(now) {
            stage = now;
            bins = now.strip ?? [];
            draw();
            const sum = { done: now.rowsDone, running: now.rowsLeased, failed: now.rowsFailed };
            setAttribute(
                strip,
                'aria-label',
                `Parts of ${now.name}: ${words.count(sum.done)} rows done, ${words.count(sum.running)} running, ` +
                    `${words.count(sum.failed)} given up, of ${words.count(now.rowsWanted)}. Arrow keys step through them.`,
            );
            if (at >= 0) point(at);
        },
        close() {},
    };
}
