import { el } from './dom.js';

/** When a picture that did not come is asked for again. */
const AGAIN = 5_000;

/** A place for a picture, which comes when it is published. Few pixels are shown as they are, many are smoothed. */
export function frame() {
    const node = el('span', { class: 'frame' });
    let url = null;
    const frame = {
        node,
        update(picture) {
            const wanted = picture.there ? picture.url : null;
            if (wanted === url) return;
            url = wanted;
            node.replaceChildren();
            if (url === null) return;
            const image = el('img', { alt: picture.title, decoding: 'async', draggable: 'false' });
            image.onload = () => image.classList.toggle('few', image.naturalWidth < 2 * image.clientWidth);
            image.onerror = () => {
                // Withdrawn meanwhile, too many asked for at once, or the server went.
                image.remove();
                setTimeout(() => {
                    if (url !== wanted || !node.isConnected) return;
                    url = null;
                    frame.update(picture);
                }, AGAIN);
            };
            image.src = url;
            node.append(image);
        },
    };
    return frame;
}
