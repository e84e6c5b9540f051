-- A token that nothing uses is to be found and revoked. Noted by the minute and not with every request, so that reading does
-- not become writing. Null where it was not used since this is noted.
alter table api_token add column used_at integer;
