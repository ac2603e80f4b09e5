import { el } from './dom.js';

/** A place for a picture, which comes when it is published. Few pixels are shown as they are, many are smoothed. */
export function frame() {
  const node = el('span', { class: 'frame' });
  let url = null;
  return {
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
        // Withdrawn meanwhile, or the server went: it is asked for again at the next look.
        if (url === wanted) url = null;
        image.remove();
      };
      image.src = url;
      node.append(image);
    },
  };
}
