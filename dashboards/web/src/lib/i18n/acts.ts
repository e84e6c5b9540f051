/** What is asked before something is done, and how it is refused. */
export const zh = {
  'act.required': '必填',
  'act.choose': '请选择',
  'act.cancel': '取消',
  'act.busy': '正在办理…',
  'act.field': '「{field}」有误：',
  'act.missing': '未填写，或不在允许范围内。',
  'act.lost': '{actor} 已在 {when} 先办理了：{what}。这一步没有再办。',
  'act.something': '另一步',
  'rule.not_yet': '还不到时候。',
  'rule.not_folded':
    '已收到的读数还没有全部计入，现在办理会出错。请一分钟后再试；若一直如此，请管理员查看服务日志。',
  'rule.name_outdated':
    '名单上有住户出现了点名时未知的情况：读数后到或有变动、更新的一期里已不在黑榜、上次的提醒已收回、卡片已挂失，或有读数待核查。住户码见下。请先撤下这些户名，再公示；撤下的住户从头计起。',
  'rule.came_later':
    '此户有本期计算时未知的情况：读数后到或有变动、更新的一期里已不在黑榜、上次的提醒已收回、卡片已挂失，或有读数待核查。本期不点名，下一期会计入。',
  'rule.name_alike':
    '名单上有住户的住户码与他户的末位相同，公示后无法分辨是谁，住户码见下。请改用其他公示对象，或先撤下这些户名。',
  'rule.window_closed': '异议期已过。',
  'rule.same_person': '须由另一人办理：您已参与了前一步。',
  'rule.not_a_person': '只能由实名的人办理。',
  'rule.not_your_duty': '您的角色不能办理这一步。',
  'rule.already_decided': '已有人先办理。',
  'rule.wrong_state': '现在的状态不允许这一步。',
  'rule.stopped': '已被取消，没有存入任何内容。需要时再办一次。',
  'rule.in_the_future': '那一天还没有过完。',
  'rule.no_such_reading': '所选的读数不是此户在这一期里的读数。',
  'rule.malformed': '填写的内容不合要求。',
  'rule.unknown_token': '没有这个在用的令牌，可能已被收回。',
} as const;

export const en: Record<keyof typeof zh, string> = {
  'act.required': 'required',
  'act.choose': 'Choose',
  'act.cancel': 'Cancel',
  'act.busy': 'Being done…',
  'act.field': '“{field}” is wrong:',
  'act.missing': 'it is not filled in, or is outside what is allowed.',
  'act.lost': '{actor} was first, at {when}: {what}. This was not done again.',
  'act.something': 'another step',
  'rule.not_yet': 'It is too early.',
  'rule.not_folded':
    'Readings that were received are not all counted yet, and this would go wrong. Try again in a minute; if it stays so, have an administrator look at the server’s log.',
  'rule.name_outdated':
    'Something is known of households named on this list that their names were decided without: readings came later or changed, a newer list does not have them, their warning was taken back, their card is lost, or readings wait to be looked at. Their codes are below: take these names off, then publish the list. Households taken off start anew.',
  'rule.came_later':
    'Something is known of this household that this list was computed without: readings came later or changed, a newer list does not have it, its warning was taken back, its card is lost, or readings wait to be looked at. It is not named on this list; the next one counts it all.',
  'rule.name_alike':
    'Codes of households on this list end like those of others, and nobody could tell who is meant. Their codes are below: publish to another audience, or take these names off.',
  'rule.window_closed': 'The objection window is over.',
  'rule.same_person': 'Another person must do this: you had a part in the step before.',
  'rule.not_a_person': 'Only a named person may do this.',
  'rule.not_your_duty': 'Your role may not do this.',
  'rule.already_decided': 'Somebody was faster.',
  'rule.wrong_state': 'It is not possible as things stand now.',
  'rule.stopped': 'It was cancelled, and nothing was stored. Ask for it again when it is wanted.',
  'rule.in_the_future': 'That day is not over yet.',
  'rule.no_such_reading': 'A reading is not one of this household in this edition.',
  'rule.unknown_token': 'There is no such token in use; it may have been revoked.',
  'rule.malformed': 'what was filled in is not what is needed.',
};
