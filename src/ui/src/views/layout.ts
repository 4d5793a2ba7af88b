// Is there room for the list and a thread beside each other?
import { Store } from '../store'

const narrow = matchMedia('(max-width: 699px)')

export const isNarrow = new Store(narrow.matches)

narrow.addEventListener('change', () => isNarrow.set(narrow.matches))
