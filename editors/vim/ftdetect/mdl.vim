autocmd BufNewFile,BufRead *.mdl setfiletype mdl
