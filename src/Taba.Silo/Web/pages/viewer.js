// One sample large. Arrow keys step, Escape closes.

import { el, setText } from './dom.js';
import { frame } from './frame.js';
import * as words from './words.js';

/** `sampleAt(row)` says which pictures there are now; `closed(row)` is told where the reader stopped. */
export function openViewer(row, [start, end], sampleAt, closed) {
    const heading = el('h2', { id: 'viewer-title', 'aria-live': 'polite' });
    const figures = el('div', { class: 'figures' });
    const back = el('button', { type: 'button', onclick: () => step(-1) }, '← Previous');
    const on = el('button', { type: 'button', onclick: () => step(1) }, 'Next →');
    const dialog = el(
        'dialog',
        { class: 'viewer', 'aria-labelledby': 'viewer-title', onkeydown: keys, onclose: done, onclick: outside },
        el(
            'div',
            { class: 'viewer-head' },
            heading,
            el(
                'div',
                { class: 'buttons' },
                back,
                on,
                el('button', { type: 'button', onclick: () => dialog.close() }, 'Close'),
            ),
        ),
        figures,
    );
    let frames = [];

    function draw() {
        const sample = sampleAt(row);
        setText(heading, `Sample ${words.count(row)}`);
        back.disabled = row <= start;
        on.disabled = row >= end - 1;
        if (frames.length !== sample.pictures.length) {
            frames = sample.pictures.map(picture => ({ ...frame(), caption: el('figcaption', null, picture.title) }));
            figures.replaceChildren(...frames.map(f => el('figure', null, f.node, f.caption)));
        }
        sample.pictures.forEach((picture, at) => {
            frames[at].update(picture);
            setText(frames[at].caption, picture.there ? picture.title : `${picture.title}: not there yet`);
        });
    }

    function step(by) {
        const to = row + by;
        if (to < start || to >= end) return;
        row = to;
        draw();
    }

    function keys(event) {
        const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        step(by);
    }

    function outside(event) {
        if (event.target === dialog) dialog.close();
    }

    function done() {
        dialog.remove();
        closed(row);
    }

    draw();
    document.body.append(dialog);
    dialog.showModal();
    return { refresh: draw, close: () => dialog.close() };
}
