// The English texts that only what comes later asks for: the build leaves them out of the first ones.
import { learn } from './i18n'
import texts from './i18n/en.json?later'

learn(texts)
