// Parts of the page that are loaded when they are first used.
import { lazy } from 'react'

const part = () => import('./lazy/index')

export const Editor = lazy(() => part().then((all) => ({ default: all.Editor })))
export const Help = lazy(() => part().then((all) => ({ default: all.Help })))
export const AddPerson = lazy(() => part().then((all) => ({ default: all.AddPerson })))
export const Search = lazy(() => part().then((all) => ({ default: all.Search })))
export const Settings = lazy(() => part().then((all) => ({ default: all.Settings })))
export const Viewer = lazy(() => part().then((all) => ({ default: all.Viewer })))
