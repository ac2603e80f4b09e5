// The programs are those of the projects that this one refers to.
return;
