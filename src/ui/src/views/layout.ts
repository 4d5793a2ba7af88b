// Is there room for the list and a thread beside each other? Where letters are large it takes more; app.css asks the same.
import { Store } from '../store'

const narrow = matchMedia('(max-width: 43.69em)')

export const isNarrow = new Store(narrow.matches)

narrow.addEventListener('change', () => isNarrow.set(narrow.matches))
