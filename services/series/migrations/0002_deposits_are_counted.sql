-- Deposits are the number of points of their weight; a line of ones said nothing more.
delete from hour where line in (select no from line where measure = 'deposits');
delete from day where line in (select no from line where measure = 'deposits');
delete from line where measure = 'deposits';
