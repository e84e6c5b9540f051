import { expect, test } from 'vitest';
import {
  choose,
  dueOf,
  EVERYBODY,
  gatesOf,
  hasPart,
  mayBeLifted,
  milestones,
  nextStep,
  proposed,
  sureOf,
  type ActLine,
  type EditionDetail,
  type EditionPlace,
  type Objection,
} from '../src/lib/lists';

const edition = (change: Partial<EditionDetail> = {}): EditionDetail => ({
  id: 7,
  day: '2026-05-20',
  revision: 1,
  state: 'deciding',
  public: false,
  rule_version: 1,
  before: 3,
  counts: { red: 1, black: 1, grey: 1, unrated: 0 },
  notices: 1,
  digest: 'd',
  position: 6,
  proposed_at: 1,
  revises: null,
  superseded_by: null,
  reopened: false,
  noticed_at: 10,
  deadline: 20,
  decided_from: 30,
  audience: null,
  expires_at: null,
  publication_by: null,
  published_by: null,
  published_at: null,
  basis: null,
  ...change,
});
const place = (change: Partial<EditionPlace> = {}): EditionPlace => ({
  household: '···0002',
  household_id: 'hh-0002',
  label: '12幢1单元 30*',
  status: 'BLACK',
  shown: 'GREY',
  rank: 1,
  score: 30,
  p_black: 0.99,
  p_red: 0,
  hits: 2,
  warned: false,
  deposit_days: 30,
  inspected_days: 9,
  proposed_by: null,
  confirmed_by: null,
  lifted_by: null,
  objection_open: false,
  red_opt_in: false,
  former: false,
  ...change,
});

test('a_black_name_waits_for_the_week_to_heed_then_for_two_persons', () => {
  expect(gatesOf(place(), edition(), 29)).toEqual(['window', 'unproposed']);
  expect(nextStep(place(), edition(), 29)).toBeNull();
  expect(nextStep(place(), edition(), 30)).toBe('propose');
  const proposed = place({ proposed_by: 'p1' });
  expect(gatesOf(proposed, edition(), 30)).toEqual(['unconfirmed']);
  expect(nextStep(proposed, edition(), 30)).toBe('confirm');
  expect(gatesOf(place({ proposed_by: 'p1', confirmed_by: 'p2' }), edition(), 30)).toEqual([]);
});

test('nothing_is_decided_on_an_open_objection_a_lifted_name_a_former_occupant_or_a_reopened_edition', () => {
  const held: [EditionPlace, EditionDetail][] = [
    [place({ objection_open: true }), edition()],
    [place({ lifted_by: 'p1' }), edition()],
    [place({ former: true }), edition()],
    [place(), edition({ reopened: true })],
    [place(), edition({ state: 'noticed' })],
    [place({ status: 'GREY' }), edition()],
  ];
  for (const [who, where] of held) expect(nextStep(who, where, 99)).toBeNull();
});

test('a_red_name_is_withheld_without_consent_and_nobody_else_is_named_at_all', () => {
  expect(gatesOf(place({ status: 'RED' }), edition(), 0)).toEqual(['consent']);
  expect(gatesOf(place({ status: 'RED', red_opt_in: true }), edition(), 0)).toEqual([]);
  expect(gatesOf(place({ status: 'GREY', warned: true }), edition(), 0)).toEqual([]);
});

test('a_warning_can_be_taken_off_until_the_edition_is_over', () => {
  const warned = place({ status: 'GREY', hits: 1, warned: true });
  expect(mayBeLifted(warned, edition({ state: 'published' }))).toBe(true);
  expect(mayBeLifted(warned, edition({ state: 'expired' }))).toBe(false);
  expect(mayBeLifted(place({ status: 'RED', hits: 0 }), edition())).toBe(false);
  expect(mayBeLifted(place({ lifted_by: 'p1' }), edition())).toBe(false);
});

test('what_is_due_follows_the_state_and_the_clock', () => {
  const due = (change: Partial<EditionDetail>, now: number, undecided = 1) =>
    dueOf(edition(change), now, undecided);
  expect(due({ state: 'draft' }, 0).what).toBe('notice');
  expect(due({ state: 'noticed' }, 19)).toEqual({ what: 'window', at: 20 });
  expect(due({ state: 'noticed' }, 20).what).toBe('open');
  expect(due({}, 29)).toEqual({ what: 'heed', at: 30 });
  expect(due({}, 30).what).toBe('decide');
  expect(due({}, 30, 0).what).toBe('propose_publication');
  expect(due({ publication_by: 'p1' }, 30).what).toBe('publish');
  expect(due({ state: 'published', expires_at: 50 }, 30)).toEqual({ what: 'expires', at: 50 });
  expect(due({ reopened: true }, 30).what).toBe('revise');
  expect(due({ state: 'retracted', reopened: true }, 30).what).toBe('over');
});

test('the_way_shows_who_took_each_step_and_ends_where_it_ended', () => {
  const act = (kind: string, actor: string, household: string | null = null): ActLine => ({
    place: '1.0',
    at: 1,
    actor,
    kind,
    household,
  });
  const told = milestones(edition({ state: 'noticed', revises: 3 }), [act('propose', 'system')]);
  expect(told[1]).toEqual({ kind: 'notice', act: null, at: 10 });
  const acts = [act('propose', 'system'), act('notice', 'p1'), act('lift', 'p2', '···0002')];
  expect(milestones(edition({ state: 'noticed' }), acts).map((m) => [m.kind, m.act?.actor])).toEqual([
    ['propose', 'system'],
    ['notice', 'p1'],
    ['open', undefined],
    ['propose_publication', undefined],
    ['publish', undefined],
    ['expire', undefined],
  ]);
  const over = milestones(edition({ state: 'retracted' }), [...acts, act('retract', 'p2')]);
  expect(over.map((m) => m.kind)).toEqual(['propose', 'notice', 'retract']);
});

test('places_are_chosen_counted_and_sorted', () => {
  const all = [
    place({ household: 'a', rank: 2, score: 40, label: '12幢' }),
    place({ household: 'b', status: 'RED', rank: 1, score: 90, label: '2幢' }),
    place({ household: 'c', rank: 1, score: 20, warned: true, label: null }),
  ];
  const names = (change: object) =>
    choose(all, { ...EVERYBODY, ...change }, edition(), 99).map((p) => p.household);
  expect(names({})).toEqual(['c', 'a', 'b']);
  expect(names({ sort: 'score', falling: true })).toEqual(['b', 'a', 'c']);
  expect(names({ sort: 'label' })).toEqual(['c', 'b', 'a']);
  expect(names({ status: 'WARNED' })).toEqual(['c']);
  expect(names({ open: true })).toEqual(['c', 'a']);
  expect(names({ gate: 'consent' })).toEqual(['b']);
  expect(names({ text: ' 12 ' })).toEqual(['a']);
});

test('nobody_is_called_certain', () => {
  expect([sureOf(1), sureOf(0.9991), sureOf(0.998), sureOf(0)]).toEqual([
    '> 99.9 %',
    '> 99.9 %',
    '99.8 %',
    '0.0 %',
  ]);
});

test('whoever_raised_an_objection_or_read_one_of_its_bags_has_a_part_in_it', () => {
  const objection = { by: 'r1' } as Objection;
  // A phone's readings are under a name that is not the account's: the server says whose they are.
  const reading = { by: 'inspector', device: 'account-3f2a', mine: false };
  expect(hasPart('r1', objection, [reading])).toBe('raised');
  expect(hasPart('p1', objection, [reading, { ...reading, mine: true }])).toBe('read');
  expect(hasPart('p1', objection, [reading, { ...reading, device: 'p1' }])).toBeNull();
});

test('a_name_is_only_proposed_as_black_until_a_second_person_has_said_it', () => {
  expect(proposed(place({ status: 'BLACK', proposed_by: 'p1' }))).toBe(true);
  expect(proposed(place({ status: 'BLACK', proposed_by: 'p1', confirmed_by: 'p2' }))).toBe(false);
  expect(proposed(place({ status: 'RED' }))).toBe(false);
});
