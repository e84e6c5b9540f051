/** All texts of the inspectors' pages, a file for each area, both languages side by side. A new area is added to this list. */
import * as acts from './acts';
import * as bank from './bank';
import * as common from './common';
import * as estate from './estate';
import * as household from './household';
import * as inspect from './inspect';
import * as jobs from './jobs';
import * as letters from './letters';
import * as lists from './lists';
import * as objections from './objections';
import * as people from './people';
import * as quality from './quality';
import * as rules from './rules';
import * as shell from './shell';
import * as station from './station';
import * as today from './today';
import * as tokens from './tokens';

export const zh = {
  ...acts.zh,
  ...bank.zh,
  ...common.zh,
  ...estate.zh,
  ...household.zh,
  ...inspect.zh,
  ...jobs.zh,
  ...letters.zh,
  ...lists.zh,
  ...objections.zh,
  ...people.zh,
  ...quality.zh,
  ...rules.zh,
  ...shell.zh,
  ...station.zh,
  ...today.zh,
  ...tokens.zh,
};
export type Key = keyof typeof zh;

export const en: Record<Key, string> = {
  ...acts.en,
  ...bank.en,
  ...common.en,
  ...estate.en,
  ...household.en,
  ...inspect.en,
  ...jobs.en,
  ...letters.en,
  ...lists.en,
  ...objections.en,
  ...people.en,
  ...quality.en,
  ...rules.en,
  ...shell.en,
  ...station.en,
  ...today.en,
  ...tokens.en,
};
