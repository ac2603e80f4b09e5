// The way in: the silo's token for a cookie that scripts cannot read.

import { change } from './api.js';
import { el, setText, show } from './dom.js';
import { sentence } from './words.js';

export function signInPage(done, wrong = null) {
    const error = el('p', { class: 'error', id: 'token-error', role: 'alert', hidden: !wrong }, wrong ?? '');
    const field = el('input', {
        id: 'token',
        name: 'token',
        type: 'password',
        autocomplete: 'current-password',
        required: true,
        spellcheck: 'false',
        'aria-describedby': 'token-help token-error',
    });
    const button = el('button', { type: 'submit', class: 'primary' }, 'Sign in');
    const form = el(
        'form',
        { class: 'card sign-in', onsubmit: enter },
        el('h1', null, 'Sign in'),
        el(
            'p',
            { class: 'soft', id: 'token-help' },
            'The token is the value of Taba:Web:Token of this cluster. It is kept as a session of this browser.',
        ),
        el('label', { for: 'token' }, 'Token'),
        // Keepers of passwords want a name beside one.
        el('input', { type: 'text', name: 'username', autocomplete: 'username', value: 'taba', hidden: true }),
        field,
        error,
        button,
    );

    async function enter(event) {
        event.preventDefault();
        button.disabled = true;
        try {
            await change('api/session', { token: field.value });
            await done();
        } catch (problem) {
            setText(
                error,
                problem.status === 401
                    ? 'That is not the token of this cluster.'
                    : sentence(`not signed in: ${problem.message}`),
            );
            show(error, true);
            field.select();
            field.focus();
        } finally {
            button.disabled = false;
        }
    }

    return { node: form, focus: () => field.focus() };
}
