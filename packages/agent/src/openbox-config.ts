/** openbox's configuration: one desktop, no key bindings, the browser without frame and maximized, dialogs and pop-ups with a frame. */
export const OPENBOX_CONFIG = `<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
  <desktops><number>1</number><popupTime>0</popupTime></desktops>
  <keyboard/>
  <mouse>
    <context name="Client">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
  </mouse>
  <applications>
    <application type="normal" role="browser"><decor>no</decor><maximized>yes</maximized></application>
    <application type="normal" role="pop-up"><decor>yes</decor><maximized>no</maximized></application>
    <application type="dialog"><decor>no</decor><position force="yes"><x>center</x><y>center</y></position></application>
  </applications>
</openbox_config>
`;
