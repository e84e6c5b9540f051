/** What to say of a log-in that failed. Pure. */
import type { ApiError } from './api';
import type { Key } from './i18n';

/** `wrong` is what is said of a name, password or code that the server does not take. */
export function loginAdvice(error: ApiError | null, wrong: Key): Key | null {
  if (error === null) return null;
  if (error.status === 0) return 'error.network';
  if (error.status === 401) return wrong;
  if (error.status === 429) return 'login.too_many';
  return error.status < 500 ? 'error.request' : 'error.server';
}
