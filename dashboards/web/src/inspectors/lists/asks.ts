/** What each step of the due process says before it is taken, what it asks for, and what takes it back. Pure. */
import type { Ask, Said } from '../../lib/acts.svelte';
import { addDays, DAY, dayOf, midnight } from '../../lib/time';
import { sureOf, type Edition, type EditionDetail, type EditionPlace } from '../../lib/lists';
import type { Site } from '../../lib/api';

/** The rules' own limits, said before the server has to. */
const WINDOW_DAYS = 7;
const WINDOW_MOST = 90;
const PUBLISHED_DAYS_MOST = 90;
const PUBLISHED_DAYS = 30;

/** What texts about instants need: the site's clock and zone, and how it writes an instant. */
export interface Here {
  now: number;
  zone: Site['zone'];
  when: (ms: number) => string;
}

const to = (edition: Edition, step: string): string[] => ['editions', String(edition.id), step];
const named = (edition: Edition) => ({ day: edition.day, revision: edition.revision });
const nothing = () => ({});

export function askEdition(day: string, today: string): Ask {
  return {
    id: 'propose',
    title: ['lists.ask.propose'],
    says: [['lists.ask.propose.says'], ['lists.ask.propose.told']],
    fields: [{ name: 'day', label: 'lists.field.day', kind: 'day', value: day, most: today }],
    go: 'lists.ask.propose.go',
    path: ['editions'],
    body: (values) => ({ day: values['day'] }),
    done: ['lists.ask.propose.done'],
  };
}

export function askNotice(edition: EditionDetail, here: Here): Ask {
  const until = here.when(here.now + WINDOW_DAYS * DAY);
  return {
    id: `notice:${edition.id}`,
    title: ['lists.ask.notice', named(edition)],
    says: [
      ['lists.ask.notice.says', { warned: edition.notices, black: edition.counts.black }],
      ['lists.ask.notice.until', { days: WINDOW_DAYS, until }],
      ['lists.ask.notice.told'],
      ['lists.ask.final'],
    ],
    fields: [
      {
        name: 'days',
        label: 'lists.field.days',
        kind: 'number',
        value: String(WINDOW_DAYS),
        least: 1,
        most: WINDOW_MOST,
        hint: ['lists.field.days.hint'],
      },
    ],
    go: 'lists.ask.notice.go',
    path: to(edition, 'notice'),
    body: (values) => ({ days: Number(values['days']) }),
    done: ['lists.ask.notice.done', { n: edition.notices }],
    undo: () => askRetract(edition),
  };
}

export function askOpen(edition: EditionDetail): Ask {
  return {
    id: `open:${edition.id}`,
    title: ['lists.ask.open', named(edition)],
    says: [['lists.ask.open.says', { black: edition.counts.black }], ['lists.ask.final']],
    fields: [],
    go: 'lists.ask.open.go',
    path: to(edition, 'open'),
    body: nothing,
    done: ['lists.ask.open.done'],
  };
}

export function askRevise(edition: EditionDetail): Ask {
  return {
    id: `revise:${edition.id}`,
    title: ['lists.ask.revise', named(edition)],
    says: [['lists.ask.revise.says'], ['lists.ask.revise.then']],
    fields: [],
    go: 'lists.ask.revise.go',
    path: to(edition, 'revise'),
    body: nothing,
    done: ['lists.ask.revise.done'],
  };
}

export function askRetract(edition: EditionDetail): Ask {
  return {
    id: `retract:${edition.id}`,
    title: ['lists.ask.retract', named(edition)],
    says: [
      [edition.state === 'published' ? 'lists.ask.retract.public' : 'lists.ask.retract.says', named(edition)],
      ['lists.ask.final'],
    ],
    fields: [reason()],
    go: 'lists.ask.retract.go',
    grave: true,
    path: to(edition, 'retract'),
    body: (values) => ({ reason: values['reason'] }),
    done: ['lists.ask.retract.done'],
  };
}

export function askPublication(edition: EditionDetail, here: Here): Ask {
  const today = dayOf(here.now, here.zone);
  return {
    id: `propose-publication:${edition.id}`,
    title: ['lists.ask.publication', named(edition)],
    says: [['lists.ask.publication.says'], ['lists.ask.publication.then']],
    fields: [
      { name: 'basis', label: 'lists.field.basis', kind: 'words', hint: ['lists.field.basis.hint'] },
      {
        name: 'audience',
        label: 'lists.field.audience',
        kind: 'choice',
        options: (['private', 'building', 'masked'] as const).map((value) => ({
          value,
          label: `lists.audience.${value}` as const,
        })),
      },
      {
        name: 'last',
        label: 'lists.field.last',
        kind: 'day',
        value: addDays(today, PUBLISHED_DAYS),
        least: today,
        // The whole of the last day counts, and the end is at most ninety days from this moment.
        most: addDays(today, PUBLISHED_DAYS_MOST - 1),
        hint: ['lists.field.last.hint'],
      },
    ],
    go: 'lists.ask.publication.go',
    path: to(edition, 'propose-publication'),
    body: (values) => ({
      basis: values['basis'],
      audience: values['audience'],
      expires_at: midnight(addDays(values['last'] ?? today, 1), here.zone),
    }),
    done: ['lists.ask.publication.done'],
    undo: () => askRetract(edition),
  };
}

export function askPublish(edition: EditionDetail, shown: { red: number; black: number }, here: Here): Ask {
  const audience = edition.audience ?? 'private';
  return {
    id: `publish:${edition.id}`,
    title: ['lists.ask.publish', named(edition)],
    says: [
      [`lists.ask.publish.${audience}`],
      ['lists.ask.publish.names', shown],
      ['lists.ask.publish.until', { until: here.when(edition.expires_at ?? here.now) }],
      ['lists.ask.publish.ends'],
    ],
    fields: [],
    go: 'lists.ask.publish.go',
    grave: true,
    path: to(edition, 'publish'),
    body: nothing,
    done: ['lists.ask.publish.done'],
    undo: () => askRetract({ ...edition, state: 'published' }),
  };
}

export function askExpire(edition: EditionDetail): Ask {
  return {
    id: `expire:${edition.id}`,
    title: ['lists.ask.expire', named(edition)],
    says: [['lists.ask.expire.says'], ['lists.ask.final']],
    fields: [],
    go: 'lists.ask.expire.go',
    path: to(edition, 'expire'),
    body: nothing,
    done: ['lists.ask.expire.done'],
  };
}

const reason = () =>
  ({
    name: 'reason',
    label: 'lists.field.reason',
    kind: 'words',
    hint: ['lists.field.reason.hint'],
  }) as const;

const who = (place: EditionPlace) => ({ who: `${place.label ?? ''} ${place.household}`.trim() });
const of = (place: EditionPlace) => ({ household: place.household_id ?? '' });
const key = (step: string, edition: Edition, place: EditionPlace) =>
  `${step}:${edition.id}:${place.household_id ?? place.household}`;

export function askBlack(edition: EditionDetail, place: EditionPlace): Ask {
  return {
    id: key('propose-black', edition, place),
    title: ['lists.ask.black', who(place)],
    says: [['lists.ask.black.says', numbers(place)], ['lists.ask.black.then']],
    fields: [],
    go: 'lists.ask.black.go',
    path: to(edition, 'propose-black'),
    body: () => of(place),
    done: ['lists.ask.black.done', who(place)],
    undo: () => askLift(edition, { ...place, proposed_by: '-' }),
  };
}

export function askConfirm(edition: EditionDetail, place: EditionPlace): Ask {
  return {
    id: key('confirm-black', edition, place),
    title: ['lists.ask.confirm', who(place)],
    says: [
      ['lists.ask.black.says', numbers(place)],
      ['lists.ask.confirm.says', { first: place.proposed_by ?? '' }],
      ['lists.ask.confirm.then'],
    ],
    fields: [],
    go: 'lists.ask.confirm.go',
    grave: true,
    path: to(edition, 'confirm-black'),
    body: () => of(place),
    done: ['lists.ask.confirm.done', who(place)],
    undo: () => askLift(edition, place),
  };
}

export function askLift(edition: EditionDetail, place: EditionPlace): Ask {
  const says: Said = place.status === 'BLACK' ? ['lists.ask.lift.name'] : ['lists.ask.lift.warning'];
  return {
    id: key('lift', edition, place),
    title: ['lists.ask.lift', who(place)],
    says: [says, ['lists.ask.lift.then'], ['lists.ask.final']],
    fields: [reason()],
    go: 'lists.ask.lift.go',
    path: to(edition, 'lift'),
    body: (values) => ({ ...of(place), reason: values['reason'] }),
    done: ['lists.ask.lift.done', who(place)],
  };
}

const numbers = (place: EditionPlace) => ({
  score: place.score,
  sure: sureOf(place.p_black),
  days: place.deposit_days,
  seen: place.inspected_days,
});
