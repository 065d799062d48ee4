module collimate.invalid/gotemplateoracle

go 1.26
