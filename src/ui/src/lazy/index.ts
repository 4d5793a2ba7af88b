// What a first look at the page does not need, in one chunk: apart they would share more files than they save.
import '../main' // is there already: what both use stays in its file
import '../i18n-later'
export { SignInAgain } from '../views/auth'
export { Question } from '../views/dialog'
export { callFor } from './call'
export { default as Editor } from './editor'
export { default as Help } from './help'
export { default as AddPerson } from './person'
export { default as Search } from './search'
export { default as Settings } from './settings'
export { default as UploadChips } from './uploads'
export { default as Viewer } from './viewer'
