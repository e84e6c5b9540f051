/** What is said before an objection is decided or recorded. Pure. */
import type { Ask } from '../../lib/acts.svelte';
import type { Edition, ObjectionDetail } from '../../lib/lists';
import type { Written } from './desk.svelte';

export function askDecide(objection: ObjectionDetail, upheld: boolean): Ask {
  const which = upheld ? 'upheld' : 'rejected';
  return {
    id: `decide-${which}:${objection.id}`,
    title: [`objection.ask.${which}`, { who: objection.household }],
    says: [
      [`objection.ask.${which}.says`, { n: objection.readings.length }],
      [`objection.ask.${which}.then`],
      ['objection.ask.told'],
      ['lists.ask.final'],
    ],
    fields: [
      {
        name: 'reason',
        label: 'objection.field.reason',
        kind: 'words',
        hint: ['objection.field.reason.hint'],
      },
    ],
    go: `objection.ask.${which}.go`,
    grave: !upheld,
    path: ['objections', String(objection.id), 'decide'],
    body: (values) => ({ upheld, reason: values['reason'] }),
    done: [`objection.ask.${which}.done`],
  };
}

export function askRecord(written: Written, edition: Edition): Ask {
  const who = written.household?.label ?? '';
  return {
    id: `object:${edition.id}`,
    title: ['objection.ask.record', { who }],
    says: [
      ['objection.ask.record.says', { n: written.readings.length, day: edition.day }],
      ['objection.ask.record.then'],
      ['objection.ask.record.part'],
    ],
    fields: [],
    go: 'objection.ask.record.go',
    path: ['objections'],
    body: () => ({
      edition: edition.id,
      household: written.household?.id ?? '',
      readings: written.readings,
      words: written.words.trim(),
    }),
    done: ['objection.ask.record.done', { who }],
  };
}
