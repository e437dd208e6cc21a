module hook

go 1.25
