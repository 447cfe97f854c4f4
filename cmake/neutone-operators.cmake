# neutone_copy_operators(target): puts the operator library beside a program or plugin when that is built, where
# neutone::host looks for it first. The target has to be one of the folder that calls this.
function(neutone_copy_operators target)
  add_custom_command(
    TARGET ${target} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E copy_if_different $<TARGET_FILE:neutone::ops> $<TARGET_FILE_DIR:${target}>
    VERBATIM)
endfunction()
