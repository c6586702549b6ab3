" The language of mlc's model files.
if exists("b:current_syntax")
    finish
endif

syntax keyword mdlBlock data model train use param def field
syntax keyword mdlFlow for in if else
syntax keyword mdlOperator and or not
syntax keyword mdlConstant true false none
syntax keyword mdlType tensor int float bool string list function f32 i32 u8
syntax match mdlHeader "\%^mdl \d\+"
syntax match mdlNumber "\<\d[0-9_]*\(\.\d[0-9_]*\)\?\([eE][+-]\?\d\+\)\?\>"
syntax match mdlCall "\<\h\w*\ze("
syntax match mdlPipe "|>\|->\|\.\.<\|<\.\.\|\.\."
syntax match mdlEscape "\\." contained
syntax region mdlString start=+"+ skip=+\\.+ end=+"+ oneline contains=mdlEscape
syntax match mdlComment "#.*" contains=@Spell

highlight default link mdlBlock Keyword
highlight default link mdlFlow Conditional
highlight default link mdlOperator Operator
highlight default link mdlConstant Constant
highlight default link mdlType Type
highlight default link mdlHeader PreProc
highlight default link mdlNumber Number
highlight default link mdlCall Function
highlight default link mdlPipe Operator
highlight default link mdlEscape SpecialChar
highlight default link mdlString String
highlight default link mdlComment Comment

setlocal commentstring=#\ %s
let b:current_syntax = "mdl"
