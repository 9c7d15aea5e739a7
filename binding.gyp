# SPDX-License-Identifier: Apache-2.0
# The addon, built with node-gyp. Sources and flags stand in native/sources.json, which CMakeLists.txt
# reads too. gyp has no flags per file, so every instruction set is a static library of its own.
{
  'target_defaults': {
    'include_dirs': ['native'],
    # Node's own defaults go, so that a source file is compiled with the listed flags and no others.
    'cflags/': [['exclude', '^-[OfW]']],
    'cflags_cc/': [['exclude', '^-(std=gnu|fno-rtti|fno-exceptions)']],
    'xcode_settings': {
      'CLANG_CXX_LIBRARY': 'libc++',
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
    },
  },
  'targets': [
    {
      'target_name': 'receptive',
      'dependencies': ['core', 'isa_scalar'],
      'include_dirs': ['<!(node scripts/sources.cjs include)'],
      'sources': ['<!@(node scripts/sources.cjs binding)'],
      'cflags_cc': ['<!@(node scripts/sources.cjs binding flags)'],
      'ldflags': ['<!@(node scripts/sources.cjs link)'],
      'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<!@(node scripts/sources.cjs binding flags)'] },
      'conditions': [['target_arch=="x64"', { 'dependencies': ['isa_avx2', 'isa_avx512'] }]],
    },
    {
      'target_name': 'core',
      'type': 'static_library',
      'sources': ['<!@(node scripts/sources.cjs core)'],
      'cflags_cc': ['<!@(node scripts/sources.cjs core flags)'],
      'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<!@(node scripts/sources.cjs core flags)'] },
    },
    {
      'target_name': 'isa_scalar',
      'type': 'static_library',
      'sources': ['<!@(node scripts/sources.cjs isa/scalar)'],
      'cflags_cc': ['<!@(node scripts/sources.cjs isa/scalar flags)'],
      'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<!@(node scripts/sources.cjs isa/scalar flags)'] },
    },
  ],
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'isa_avx2',
          'type': 'static_library',
          'sources': ['<!@(node scripts/sources.cjs isa/avx2)'],
          'cflags_cc': ['<!@(node scripts/sources.cjs isa/avx2 flags)'],
          'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<!@(node scripts/sources.cjs isa/avx2 flags)'] },
        },
        {
          'target_name': 'isa_avx512',
          'type': 'static_library',
          'sources': ['<!@(node scripts/sources.cjs isa/avx512)'],
          'cflags_cc': ['<!@(node scripts/sources.cjs isa/avx512 flags)'],
          'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<!@(node scripts/sources.cjs isa/avx512 flags)'] },
        },
      ],
    }],
  ],
}
